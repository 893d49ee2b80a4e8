//! What this machine offers, found by trying.

use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Whether something works; if not, what the system said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Offer {
    /// It works.
    Yes,
    /// It does not, for this reason.
    No(String),
}

impl Offer {
    /// Whether it works.
    pub fn works(&self) -> bool {
        *self == Self::Yes
    }
}

/// What this machine offers to the calling user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The effective uid.
    pub uid: u32,
    /// Real root with the right to make namespaces and mounts.
    pub root: Offer,
    /// User namespaces.
    pub user_namespace: Offer,
    /// Network namespaces, with `lo` up.
    pub network_namespace: Offer,
    /// A pid namespace with its own `/proc`.
    pub pid_namespace: Offer,
    /// Overlay file system with its upper folder in the folder given to [`probe`].
    pub overlay: Offer,
    /// Id-mapped mounts of that folder (root only).
    pub idmapped_mounts: Offer,
    /// Joining a namespace of another process of the same user.
    pub joining: Offer,
    /// nftables in a network namespace.
    pub nftables: Offer,
    /// Folder in which control groups can be made, by controller (`memory`, `cpu`, `pids`, and `kill` for `cgroup.kill`).
    pub cgroups: BTreeMap<String, PathBuf>,
}

impl Probe {
    /// The best mode that works, or none.
    pub fn mode(&self) -> Option<crate::Mode> {
        todo!()
    }
}

/// Tries everything, with scratch files in `dir` (the yard's folder: file systems differ). Leaves nothing behind.
pub fn probe(dir: &std::path::Path) -> Result<Probe> {
    todo!("{dir:?}")
}
