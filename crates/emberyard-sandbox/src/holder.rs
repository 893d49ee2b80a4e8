//! Holders: processes that do nothing but keep namespaces alive. They outlive keeper, control plane and agents.

use crate::error::Result;
use crate::process::ProcessId;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// With or without root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Real root: no user namespace for the yard, shifted ones for pods.
    Root,
    /// A user namespace for the yard, in which the owner is root.
    Rootless,
}

/// Holds the yard's user (rootless) and network namespace. Recorded in `run/yard-holder.json` of the yard's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YardHolder {
    /// The holder.
    pub process: ProcessId,
    /// The yard's folder.
    pub dir: PathBuf,
    /// How it was made.
    pub mode: Mode,
    /// Control groups of the yard, empty where there are none.
    pub cgroups: Vec<PathBuf>,
}

/// PID 1 of a node's pid namespace, with the node's network namespace. Recorded in `holder.json` of the node's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeHolder {
    /// The holder, as the machine sees it.
    pub process: ProcessId,
    /// Name of the node.
    pub name: String,
    /// The node's folder.
    pub dir: PathBuf,
    /// The yard's folder.
    pub yard: PathBuf,
    /// As the yard's.
    pub mode: Mode,
    /// Control groups of the node, empty where there are none.
    pub cgroups: Vec<PathBuf>,
}

/// Starts a yard's holder and records it. The yard's folder must exist. If one is recorded and alive, it is adopted instead.
pub fn create_yard(dir: &Path, mode: Mode) -> Result<YardHolder> {
    todo!("{dir:?} {mode:?}")
}

/// Starts a node's holder in the yard and records it. The node's folder must exist. If one is recorded and alive, it is adopted instead.
pub fn create_node(yard: &YardHolder, name: &str, dir: &Path) -> Result<NodeHolder> {
    todo!("{yard:?} {name} {dir:?}")
}

impl YardHolder {
    /// Reads the record of a yard; `None` when there is none or its holder no longer runs.
    pub fn adopt(dir: &Path) -> Result<Option<Self>> {
        todo!("{dir:?}")
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    /// Kills it and removes its record and control groups. Nodes must be killed before.
    pub fn kill(&self) -> Result<()> {
        todo!()
    }
}

impl NodeHolder {
    /// Reads the record of a node; `None` when there is none or its holder no longer runs.
    pub fn adopt(dir: &Path) -> Result<Option<Self>> {
        todo!("{dir:?}")
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    /// Kills it and with it every process of the node, waits until all are gone, removes its record and control groups.
    pub fn kill(&self) -> Result<()> {
        todo!()
    }
}
