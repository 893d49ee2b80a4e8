//! May the pod run on the node? In the order in which Kubernetes asks; the first rule that says no gives the reason, in its words.

use super::cluster::Cluster;
use super::node::NodeInfo;
use super::pod::PodInfo;
use super::topology::Topology;
use super::volumes::Volumes;
use emberyard_model::fit::{Effect, Taint, untolerated};

/// What keeps the pod off the node; empty when nothing does.
pub(super) fn obstacles(
    pod: &PodInfo,
    node: &NodeInfo,
    cluster: &Cluster,
    volumes: &Volumes,
    topology: &Topology,
) -> Vec<String> {
    let one = |reason: &str| vec![reason.to_owned()];
    if node.unschedulable && !stands_cordon(pod) {
        return one("node(s) were unschedulable");
    }
    if let Some(taint) = repelling(pod, node) {
        return vec![format!("node(s) had untolerated taint {{{}: {}}}", taint.key, taint.value)];
    }
    if !selects(pod, node) {
        return one("node(s) didn't match Pod's node affinity/selector");
    }
    let taken = |other: &PodInfo| other.ports.iter().any(|port| pod.ports.iter().any(|wanted| wanted.conflicts(port)));
    if !pod.ports.is_empty() && cluster.on(node).any(taken) {
        return one("node(s) didn't have free ports for the requested pod ports");
    }
    let free = node.free();
    let short = free.shortages(&pod.demand);
    if !short.is_empty() {
        let say = |name: &str| if name == "pods" { "Too many pods".to_owned() } else { format!("Insufficient {name}") };
        return short.into_iter().map(say).collect();
    }
    if !volumes.reachable_from(node) {
        return one("node(s) didn't match PersistentVolume's node affinity");
    }
    topology.obstacle(node).map(one).unwrap_or_default()
}

/// Whether the pod's selector and required affinity name the node.
pub(super) fn selects(pod: &PodInfo, node: &NodeInfo) -> bool {
    pod.selector.iter().all(|(key, value)| node.labels.get(key) == Some(value))
        && pod.affinity.as_ref().is_none_or(|affinity| affinity.matches(node.matching()))
}

/// A taint that the pod does not stand.
pub(super) fn repelling<'a>(pod: &PodInfo, node: &'a NodeInfo) -> Option<&'a Taint> {
    untolerated(&node.taints, &pod.tolerations, &[Effect::NoSchedule, Effect::NoExecute])
}

/// A cordoned node takes pods that tolerate the taint that stands for the cordon.
fn stands_cordon(pod: &PodInfo) -> bool {
    let cordon = Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        value: String::new(),
        effect: Effect::NoSchedule,
        time_added: None,
    };
    pod.tolerations.iter().any(|toleration| toleration.covers(&cordon))
}
