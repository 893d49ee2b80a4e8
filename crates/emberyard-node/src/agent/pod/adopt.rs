//! Pods found from an earlier agent.

use super::volumes::Places;
use crate::agent::Node;
use crate::agent::files::load;
use emberyard_pod::{Observed, Stage};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// What an earlier agent left of a pod.
pub(in crate::agent) struct Adopted {
    /// The object as last seen.
    pub object: Value,
    /// What was observed.
    pub observed: Observed,
    /// Where its volumes are.
    pub places: Places,
}

pub(super) const OBJECT: &str = "pod.json";
pub(super) const OBSERVED: &str = "observed.json";
pub(super) const PLACES: &str = "volumes.json";

/// Version of what an agent keeps of a pod: the files above. It is told in the observations; without it is version 1.
pub const CHECKPOINT_FORMAT: u32 = 1;

/// `observed.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct Checkpoint<'a> {
    #[serde(default)]
    pub format: u32,
    #[serde(flatten)]
    pub observed: Cow<'a, Observed>,
}

/// All pods with a complete checkpoint. A folder without one is of a pod that was only just begun: the API server
/// will name it again, and nothing runs in it.
pub(in crate::agent) fn find(node: &Node) -> Vec<Adopted> {
    let entries = std::fs::read_dir(node.config.dir.join("pods")).into_iter().flatten().flatten();
    let mut found = Vec::new();
    for entry in entries {
        let dir = entry.path();
        let object: Option<Value> = load(&dir.join(OBJECT));
        let checkpoint: Option<Checkpoint<'static>> = load(&dir.join(OBSERVED));
        if let (Some(object), Some(checkpoint)) = (object, checkpoint) {
            let mut observed = checkpoint.observed.into_owned();
            observed.resumed();
            let uid = entry.file_name().to_string_lossy().into_owned();
            // A pod that is over has given its address back, though its status still names it.
            if let Some(ip) = observed.pod_ip.filter(|_| observed.sandbox != Stage::Gone) {
                node.ipam().adopt(&uid, ip);
            }
            found.push(Adopted { object, observed, places: load(&dir.join(PLACES)).unwrap_or_default() });
        }
    }
    found
}
