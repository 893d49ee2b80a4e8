//! Holders: processes that do nothing but keep namespaces alive. They outlive keeper, control plane and agents.

use crate::error::{Context, Result};
use crate::process::ProcessId;
use crate::{cgroup, record, role};
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
    let dir = folder(dir)?;
    match YardHolder::adopt(&dir)? {
        Some(yard) => Ok(yard),
        None => {
            let cgroups = cgroup::create_yard(&dir);
            role::call(
                crate::holder_role::YARD,
                &dir,
                &crate::holder_role::YardOrders { dir: dir.clone(), mode, cgroups },
            )
        }
    }
}

/// Starts a node's holder in the yard and records it. The node's folder must exist. If one is recorded and alive, it is adopted instead.
pub fn create_node(yard: &YardHolder, name: &str, dir: &Path) -> Result<NodeHolder> {
    let dir = folder(dir)?;
    match NodeHolder::adopt(&dir)? {
        Some(node) => Ok(node),
        None => {
            let orders = crate::holder_role::NodeOrders {
                holder: yard.process.clone(),
                node: NodeHolder {
                    process: yard.process.clone(),
                    name: name.to_owned(),
                    dir,
                    yard: yard.dir.clone(),
                    mode: yard.mode,
                    cgroups: cgroup::create_below(&yard.cgroups, name),
                },
            };
            role::call(crate::holder_role::NODE, &yard.dir, &orders)
        }
    }
}

impl YardHolder {
    /// Reads the record of a yard; `None` when there is none or its holder no longer runs.
    pub fn adopt(dir: &Path) -> Result<Option<Self>> {
        Ok(record::read::<Self>(&Self::record_in(dir))?.filter(|yard| yard.is_alive() && is_same(&yard.dir, dir)))
    }

    pub(crate) fn record_in(dir: &Path) -> PathBuf {
        dir.join("run/yard-holder.json")
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    /// Kills it and removes its record and control groups. Nodes must be killed before.
    pub fn kill(&self) -> Result<()> {
        self.process.kill()?;
        cgroup::remove(&self.cgroups);
        record::remove(&Self::record_in(&self.dir))
    }
}

impl NodeHolder {
    /// Reads the record of a node; `None` when there is none or its holder no longer runs.
    pub fn adopt(dir: &Path) -> Result<Option<Self>> {
        Ok(record::read::<Self>(&Self::record_in(dir))?.filter(|node| node.is_alive() && is_same(&node.dir, dir)))
    }

    pub(crate) fn record_in(dir: &Path) -> PathBuf {
        dir.join("holder.json")
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    /// Whether it runs and is not on its way out, with the node's processes before it.
    pub fn goes_on(&self) -> bool {
        self.process.goes_on()
    }

    /// Kills it and with it every process of the node, waits until all are gone, removes its record and control groups.
    pub fn kill(&self) -> Result<()> {
        self.process.kill()?;
        cgroup::remove(&self.cgroups);
        record::remove(&Self::record_in(&self.dir))
    }
}

/// Whether a record is of the folder it lies in: in a copy of a folder it names processes of the original.
fn is_same(recorded: &Path, dir: &Path) -> bool {
    dir.canonicalize().is_ok_and(|dir| dir == recorded)
}

/// The folder by the one name under which it is known everywhere.
fn folder(dir: &Path) -> Result<PathBuf> {
    dir.canonicalize().context(|| dir.display().to_string())
}
