//! The pod's claims: bound or not, and from which nodes their volumes can be reached.

use super::cluster::Cluster;
use super::node::NodeInfo;
use super::pod::PodInfo;
use emberyard_model::fit::NodeSelector;
use emberyard_object::view::{Meta, at, list, text};
use serde::Deserialize;
use serde_json::Value;

/// Node conditions of the pod's volumes.
#[derive(Debug, Default)]
pub(super) struct Volumes(Vec<NodeSelector>);

impl Volumes {
    /// Looks at all claims of the pod.
    ///
    /// # Errors
    /// What the pod must wait for, whatever node it is to run on.
    pub(super) fn of(pod: &PodInfo, cluster: &Cluster) -> Result<Self, String> {
        let mut volumes = Self::default();
        for name in &pod.claims {
            let Some(claim) = cluster.claim(&pod.namespace, name) else {
                return Err(format!("persistentvolumeclaim \"{name}\" not found"));
            };
            if Meta(claim).is_deleting() {
                return Err(format!("persistentvolumeclaim \"{name}\" is being deleted"));
            }
            let volume = text(claim, &["spec", "volumeName"]);
            if volume.is_empty() || text(claim, &["status", "phase"]) != "Bound" {
                return Err("pod has unbound immediate PersistentVolumeClaims".to_owned());
            }
            if is_for_one_pod(claim) && used_by_another(pod, name, cluster) {
                return Err(
                    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
                        .to_owned(),
                );
            }
            let Some(volume) = cluster.volume(volume) else {
                return Err(format!("persistentvolume \"{volume}\" not found"));
            };
            if let Some(required) = at(volume, &["spec", "nodeAffinity", "required"]) {
                volumes.0.push(NodeSelector::deserialize(required).unwrap_or_default());
            }
        }
        Ok(volumes)
    }

    pub(super) fn reachable_from(&self, node: &NodeInfo) -> bool {
        self.0.iter().all(|selector| selector.matches(node.matching()))
    }
}

fn is_for_one_pod(claim: &Value) -> bool {
    list(claim, &["spec", "accessModes"]).iter().any(|mode| mode == "ReadWriteOncePod")
}

fn used_by_another(pod: &PodInfo, claim: &str, cluster: &Cluster) -> bool {
    cluster.pods.values().any(|other| {
        other.uid != pod.uid
            && other.namespace == pod.namespace
            && other.node.is_some()
            && other.claims.iter().any(|name| name == claim)
    })
}
