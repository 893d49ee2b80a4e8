//! Which of the nodes that may take the pod should.

use super::cluster::Cluster;
use super::node::NodeInfo;
use super::pod::PodInfo;
use super::topology::Topology;
use emberyard_model::fit::{Effect, untolerated};
use std::cmp::Reverse;

/// Less is better, compared field by field.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    /// Siblings on the node: the loss of one node should cost an application as little as possible.
    siblings: usize,
    /// Wishes to be spread.
    crowd: i64,
    /// Weight of the node affinity that the pod prefers.
    preference: Reverse<i64>,
    /// Taints that ask pods to go elsewhere if they can.
    repelled: bool,
    /// Share of the node that would be taken, in thousandths.
    taken: u128,
    /// Whatever else is equal: always the same choice.
    name: (usize, String),
}

impl Cost {
    pub(super) fn of(pod: &PodInfo, node: &NodeInfo, cluster: &Cluster, topology: &Topology) -> Self {
        let sibling = |other: &&PodInfo| {
            pod.siblings.is_some() && other.siblings == pod.siblings && other.namespace == pod.namespace
        };
        let matching = |(_, term): &&(i64, emberyard_model::fit::NodeTerm)| term.matches(node.matching());
        Self {
            siblings: cluster.on(node).filter(sibling).count(),
            crowd: topology.crowd(node),
            preference: Reverse(pod.preferred.iter().filter(matching).map(|(weight, _)| weight).sum()),
            repelled: untolerated(&node.taints, &pod.tolerations, &[Effect::PreferNoSchedule]).is_some(),
            taken: taken(pod, node),
            name: (node.name.len(), node.name.clone()),
        }
    }
}

/// Mean of the CPU and memory shares that would be in use.
fn taken(pod: &PodInfo, node: &NodeInfo) -> u128 {
    let share =
        |used: u64, asked: u64, whole: u64| (u128::from(used) + u128::from(asked)) * 1000 / u128::from(whole.max(1));
    let (used, asked, whole) = (&node.used.base, &pod.demand.base, &node.allocatable.base);
    u128::midpoint(share(used.cpu.0, asked.cpu.0, whole.cpu.0), share(used.memory.0, asked.memory.0, whole.memory.0))
}
