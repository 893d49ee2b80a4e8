//! Which volume is mounted where in a container.

use super::stays_inside;
use crate::error::PodError;
use crate::expand::expand;
use crate::spec::{Container, Pod};
use std::collections::BTreeMap;

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The volume's name.
    pub volume: String,
    /// A path inside the volume; empty is the whole.
    pub sub_path: String,
    /// The path in the container.
    pub path: String,
    /// Read-only.
    pub read_only: bool,
}

/// The container's mounts, outer paths before inner ones.
///
/// # Errors
/// [`PodError`] for a volume the pod does not have, or a sub-path that leaves it.
pub fn mounts(pod: &Pod, container: &Container, env: &BTreeMap<String, String>) -> Result<Vec<Mount>, PodError> {
    let mut list = Vec::new();
    for wanted in &container.volume_mounts {
        if !pod.spec.volumes.iter().any(|v| v.name == wanted.name) {
            return Err(PodError::UnknownVolume(wanted.name.clone()));
        }
        let sub_path =
            if wanted.sub_path_expr.is_empty() { wanted.sub_path.clone() } else { expand(&wanted.sub_path_expr, env) };
        stays_inside(&sub_path)?;
        let path = format!("/{}", wanted.mount_path.trim_matches('/'));
        list.push(Mount { volume: wanted.name.clone(), sub_path, path, read_only: wanted.read_only });
    }
    list.sort_by_key(|m: &Mount| m.path.matches('/').count());
    Ok(list)
}
