//! What this machine offers, found by trying.

use crate::error::{Context, Result};
use crate::holder::Mode;
use crate::probe_role::{PROBE, ProbeOrders};
use crate::{role, sweep};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    pub fn mode(&self) -> Option<Mode> {
        let needed = [&self.user_namespace, &self.network_namespace, &self.pid_namespace, &self.overlay, &self.joining];
        if !needed.into_iter().all(Offer::works) {
            None
        } else if self.root.works() {
            Some(Mode::Root)
        } else {
            Some(Mode::Rootless)
        }
    }
}

/// Tries everything, with scratch files in `dir` (the yard's folder: file systems differ). Leaves nothing behind.
pub fn probe(dir: &Path) -> Result<Probe> {
    let dir = dir.canonicalize().context(|| dir.display().to_string())?;
    let scratch = dir.join(format!("probe-{}", std::process::id()));
    std::fs::create_dir_all(scratch.join("lower")).context(|| scratch.display().to_string())?;
    let probed = role::call(PROBE, &dir, &ProbeOrders { scratch: scratch.clone() });
    sweep::remove_tree(&scratch)?;
    probed
}
