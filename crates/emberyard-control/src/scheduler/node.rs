//! A node as the scheduler sees it.

use super::pod::{PodInfo, PodKey};
use emberyard_model::fit::{Demand, Effect, NodeMatch, Taint};
use emberyard_object::view::{NodeView, at, list};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a node offers, and what is taken.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct NodeInfo {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
    pub unschedulable: bool,
    pub allocatable: Demand,
    pub used: Demand,
    pub pods: BTreeSet<PodKey>,
}

/// The node controller says by this taint what the condition says, a moment later.
const NOT_READY: &str = "node.kubernetes.io/not-ready";

impl NodeInfo {
    pub(super) fn read(object: &Value) -> Self {
        let view = NodeView(object);
        let mut taints: Vec<Taint> =
            list(object, &["spec", "taints"]).iter().filter_map(|taint| Taint::deserialize(taint).ok()).collect();
        if !view.is_ready() && !taints.iter().any(|taint| taint.key == NOT_READY && taint.effect == Effect::NoSchedule)
        {
            let (key, value) = (NOT_READY.to_owned(), String::new());
            taints.push(Taint { key, value, effect: Effect::NoSchedule, time_added: None });
        }
        Self {
            name: view.meta().name().to_owned(),
            labels: BTreeMap::deserialize(view.meta().labels()).unwrap_or_default(),
            taints,
            unschedulable: view.is_unschedulable() || view.meta().is_deleting(),
            allocatable: Demand::from_list(at(object, &["status", "allocatable"]).unwrap_or(&Value::Null)),
            used: Demand::default(),
            pods: BTreeSet::new(),
        }
    }

    pub(super) fn matching(&self) -> NodeMatch<'_> {
        NodeMatch { name: &self.name, labels: &self.labels }
    }

    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }

    pub(super) fn take(&mut self, pod: &PodInfo) {
        self.used = self.used.plus(&pod.demand);
        self.pods.insert(pod.key());
    }

    pub(super) fn leave(&mut self, pod: &PodInfo) {
        self.used = self.used.minus(&pod.demand);
        self.pods.remove(&pod.key());
    }

    /// What is left. Of a node with more pods than room: nothing.
    pub(super) fn free(&self) -> Demand {
        self.allocatable.minus(&self.used)
    }
}
