//! Nodes and pods with the sums the scheduler needs, kept up to date event by event.

use super::node::NodeInfo;
use super::pod::{PodInfo, PodKey};
use crate::index::{Id, Index};
use crate::resources;
use emberyard_object::Gvr;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the scheduler knows, its own decisions on their way included.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    pub nodes: BTreeMap<String, NodeInfo>,
    pub pods: BTreeMap<PodKey, PodInfo>,
    /// Pods, on a node, that keep others away: they must be asked about every newcomer.
    pub keeping_apart: BTreeSet<PodKey>,
    /// Decisions that the watch has not shown yet, by pod uid.
    assumed: BTreeMap<String, String>,
    /// Claims, volumes, storage classes, namespaces.
    rest: Index,
}

impl Cluster {
    pub(super) fn namespace(&self, name: &str) -> Option<&Value> {
        self.rest.find(&resources::namespaces(), "", name)
    }

    pub(super) fn claim(&self, namespace: &str, name: &str) -> Option<&Value> {
        self.rest.find(&resources::persistent_volume_claims(), namespace, name)
    }

    pub(super) fn volume(&self, name: &str) -> Option<&Value> {
        self.rest.find(&resources::persistent_volumes(), "", name)
    }

    /// Takes in an object of the resources that are kept as they are; whether that was news.
    pub(super) fn put_other(&mut self, resource: &Gvr, object: &Value, gone: bool) -> bool {
        let id = Id::of(resource, object);
        if gone {
            return self.rest.remove(&id).is_some();
        }
        self.rest.put(&id, object.clone()).is_ok()
    }

    pub(super) fn put_node(&mut self, object: &Value) -> bool {
        let mut node = NodeInfo::read(object);
        if let Some(known) = self.nodes.get(&node.name) {
            node.used = known.used.clone();
            node.pods.clone_from(&known.pods);
        } else {
            let name = Some(node.name.clone());
            for pod in self.pods.values().filter(|pod| pod.node == name) {
                node.take(pod);
            }
        }
        let news = self.nodes.get(&node.name) != Some(&node);
        self.nodes.insert(node.name.clone(), node);
        news
    }

    pub(super) fn remove_node(&mut self, name: &str) {
        self.nodes.remove(name);
    }

    /// Takes in a pod. A decision of ours that the event does not show yet stands.
    pub(super) fn put_pod(&mut self, mut pod: PodInfo) {
        let key = pod.key();
        if pod.node.is_some() {
            self.assumed.remove(&pod.uid);
        } else {
            pod.node = self.assumed.get(&pod.uid).cloned();
        }
        self.forget(&key);
        self.seat(pod);
    }

    pub(super) fn remove_pod(&mut self, key: &PodKey) -> Option<PodInfo> {
        let pod = self.forget(key)?;
        self.assumed.remove(&pod.uid);
        Some(pod)
    }

    /// Counts the pod on the node from now on.
    pub(super) fn assume(&mut self, key: &PodKey, node: &str) {
        let Some(mut pod) = self.forget(key) else { return };
        self.assumed.insert(pod.uid.clone(), node.to_owned());
        pod.node = Some(node.to_owned());
        self.seat(pod);
    }

    /// Takes a decision back.
    pub(super) fn retract(&mut self, key: &PodKey) {
        let Some(mut pod) = self.forget(key) else { return };
        if self.assumed.remove(&pod.uid).is_some() {
            pod.node = None;
        }
        self.seat(pod);
    }

    fn seat(&mut self, pod: PodInfo) {
        if let Some(node) = pod.node.as_ref().and_then(|name| self.nodes.get_mut(name)) {
            node.take(&pod);
        }
        if pod.node.is_some() && !pod.apart.is_empty() {
            self.keeping_apart.insert(pod.key());
        }
        self.pods.insert(pod.key(), pod);
    }

    fn forget(&mut self, key: &PodKey) -> Option<PodInfo> {
        let pod = self.pods.remove(key)?;
        self.keeping_apart.remove(key);
        if let Some(node) = pod.node.as_ref().and_then(|name| self.nodes.get_mut(name)) {
            node.leave(&pod);
        }
        Some(pod)
    }

    /// The pods on a node.
    pub(super) fn on<'a>(&'a self, node: &'a NodeInfo) -> impl Iterator<Item = &'a PodInfo> {
        node.pods.iter().filter_map(|key| self.pods.get(key))
    }
}
