//! Finding what a yard left behind.

use crate::error::Result;
use crate::process::ProcessId;
use std::path::Path;

/// Environment variable that marks a process as a yard's; its value is the yard's folder. Set by this crate for its own
/// processes; whoever uses [`crate::spawn_in`] should set it as well.
pub const YARD_MARK: &str = "EMBERYARD_YARD";

/// Processes of the yard: recorded holders, marked processes, and everything in their namespaces. The caller is left out.
pub fn find(dir: &Path) -> Result<Vec<ProcessId>> {
    todo!("{dir:?}")
}

/// Kills every process of the yard, holders first, and removes its control groups; returns how many processes were killed.
pub fn sweep(dir: &Path) -> Result<usize> {
    todo!("{dir:?}")
}

/// Removes a folder with everything in it, also folders without permissions as overlays leave them. Missing is fine.
pub fn remove_tree(dir: &Path) -> Result<()> {
    todo!("{dir:?}")
}
