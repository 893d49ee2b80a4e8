//! Room on nodes that are, boot, or might be; first fit decreasing.

use crate::{Node, Pod, Shape, World};
use emberyard_model::fit::{Demand, Effect, NodeMatch, Taint, untolerated};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Where a bin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Ready,
    Booting,
    /// To be added; index of the shape in the policy.
    New(usize),
}

/// A node with what is still free on it.
#[derive(Debug, Clone)]
pub(crate) struct Bin<'a> {
    pub origin: Origin,
    /// The first pending pod that counts on this room.
    pub wanted_by: Option<&'a Pod>,
    matching: NodeMatch<'a>,
    taints: &'a [Taint],
    free: Demand,
    apart: BTreeSet<&'a str>,
}

impl<'a> Bin<'a> {
    pub(crate) fn of_node(node: &'a Node, origin: Origin, world: &'a World) -> Self {
        let mut bin = Self {
            origin,
            wanted_by: None,
            matching: node.matching(),
            taints: &node.taints,
            free: node.allocatable.clone(),
            apart: BTreeSet::new(),
        };
        for pod in world.pods_on(&node.name) {
            bin.put(pod);
        }
        bin
    }

    pub(crate) fn of_shape(shape: &'a Shape, index: usize) -> Self {
        Self {
            origin: Origin::New(index),
            wanted_by: None,
            matching: shape.matching(),
            taints: &shape.taints,
            free: shape.allocatable.clone(),
            apart: BTreeSet::new(),
        }
    }

    /// Name of the node; empty for one to come.
    pub(crate) fn name(&self) -> &'a str {
        self.matching.name
    }

    /// Whether the pod may be placed here now.
    pub(crate) fn takes(&self, pod: &Pod) -> bool {
        self.free.holds(&pod.demand)
            && !pod.apart.iter().any(|key| self.apart.contains(key.as_str()))
            && self.obstacle(pod).is_none()
    }

    /// What keeps the pod off this node for ever, whatever is free.
    pub(crate) fn obstacle(&self, pod: &Pod) -> Option<String> {
        let labelled = pod.selector.iter().find(|&(key, value)| self.matching.labels.get(key) != Some(value));
        if let Some((key, value)) = labelled {
            return Some(format!("has no label {key}={value}"));
        }
        if pod.affinity.as_ref().is_some_and(|affinity| !affinity.matches(self.matching)) {
            return Some("does not match the pod's node affinity".to_owned());
        }
        untolerated(self.taints, &pod.tolerations, &[Effect::NoSchedule, Effect::NoExecute])
            .map(|taint| format!("has the taint {} that the pod does not tolerate", taint.key))
    }

    pub(crate) fn put(&mut self, pod: &'a Pod) {
        self.free = self.free.minus(&pod.demand);
        self.apart.extend(pod.apart.iter().map(String::as_str));
    }
}

/// Larger first: by the share of the largest shape that a pod takes, then by gang and name so that the order is always the same.
pub(crate) fn decreasing(pods: &mut [&Pod], shapes: &[Shape]) {
    let cpu = shapes.iter().map(|shape| shape.allocatable.base.cpu.0).max().unwrap_or(0).max(1);
    let memory = shapes.iter().map(|shape| shape.allocatable.base.memory.0).max().unwrap_or(0).max(1);
    let share = |pod: &Pod| {
        let part = |of: u64, whole: u64| u128::from(of) * 1_000_000 / u128::from(whole);
        part(pod.demand.base.cpu.0, cpu).max(part(pod.demand.base.memory.0, memory))
    };
    pods.sort_by(|a, b| (Reverse(share(a)), &a.gang, &a.id).cmp(&(Reverse(share(b)), &b.gang, &b.id)));
}

/// Puts the pod into the first bin that takes it.
pub(crate) fn first_fit<'a>(bins: &mut [Bin<'a>], pod: &'a Pod) -> Option<usize> {
    let index = bins.iter().position(|bin| bin.takes(pod))?;
    bins[index].put(pod);
    bins[index].wanted_by.get_or_insert(pod);
    Some(index)
}
