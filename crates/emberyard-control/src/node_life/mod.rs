//! The life of nodes: which are silent, what that means for pods to come, and for those that are there.

mod eviction;
mod loss;
mod silence;
mod taints;

#[cfg(test)]
mod tests;

use crate::index::Index;
use crate::reconcile::{Reconciler, Seen, Work};
use crate::{Change, Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, NodeView, PodView, at, text};
use emberyard_object::{ApiRequest, Gvr, Method};
use serde_json::{Value, json};
use silence::Heard;
use std::collections::BTreeSet;

/// Namespace of the nodes' leases.
const LEASES: &str = "kube-node-lease";
/// Annotation of a node whose processes are known to have ended: its pods can be reported as lost.
pub(crate) const FENCED: &str = "emberyard.dev/fenced";

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct NodeLife {
    heard: Heard,
    /// Nodes that are known to be gone.
    gone: BTreeSet<String>,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Node(String),
    Pod(String, String),
}

impl Reconciler for NodeLife {
    type Key = Key;

    fn name(&self) -> &'static str {
        "node-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::nodes(), resources::pods(), resources::leases()]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource == resources::pods() {
            return loss::keep_pod(object);
        }
        trim::without_managed_fields(object)
    }

    fn affected(&mut self, seen: Seen<'_>, index: &Index, now: Timestamp) -> Vec<Key> {
        let name = seen.id.name.clone();
        if seen.is(&resources::leases()) {
            if seen.id.namespace != LEASES || seen.change == Change::Deleted {
                return Vec::new();
            }
            self.heard.lease(&name, seen.object, now);
            return vec![Key::Node(name)];
        }
        if seen.is(&resources::pods()) {
            return vec![Key::Pod(seen.id.namespace.clone(), name)];
        }
        let stirs = match (seen.change, seen.before) {
            (Change::Deleted, _) => {
                self.gone.insert(name.clone());
                self.heard.forget(&name);
                true
            }
            (_, None) => {
                self.gone.remove(&name);
                self.heard.node(&name, now);
                true
            }
            (_, Some(before)) => {
                let ready = |node| NodeView(node).condition("Ready");
                if ready(before) != ready(seen.object) && !silence::is_unknown(seen.object) {
                    self.heard.spoke(&name, now);
                }
                at(before, &["spec", "taints"]) != at(seen.object, &["spec", "taints"])
                    || Meta(before).annotation(FENCED) != Meta(seen.object).annotation(FENCED)
            }
        };
        let pods = index.all(&resources::pods()).filter(|pod| stirs && PodView(pod).node_name() == name);
        let pods = pods.map(|pod| Key::Pod(Meta(pod).namespace().to_owned(), Meta(pod).name().to_owned()));
        pods.chain([Key::Node(name.clone())]).collect()
    }

    fn reconcile(&mut self, key: &Key, index: &Index, now: Timestamp, _rng: Rng<'_>) -> Work {
        match key {
            Key::Node(name) => self.node(name, index, now),
            Key::Pod(namespace, name) => {
                let Some(pod) = index.find(&resources::pods(), namespace, name) else { return Work::default() };
                self.pod(pod, index, now)
            }
        }
    }

    fn answered(&mut self, _key: &Key, request: &ApiRequest, status: u16, body: &Value) -> bool {
        // The question was whether a node that no watch shows is there.
        let name = request.path.rsplit('/').next().unwrap_or("").to_owned();
        request.method == Method::Get
            && (status == 404 || status == 200 && Meta(body).is_deleting())
            && self.gone.insert(name)
    }

    fn woke(&mut self, due: Timestamp, now: Timestamp) {
        self.heard.forgive(due, now);
    }
}

impl NodeLife {
    fn node(&self, name: &str, index: &Index, now: Timestamp) -> Work {
        let resource = resources::nodes();
        let Some(node) = index.find(&resource, "", name) else { return Work::default() };
        let deadline = self.heard.deadline(name);
        let mut work = Work::default();
        let silent = deadline.is_some_and(|deadline| deadline <= now);
        if !silent {
            work.again = deadline;
        } else if let Some(status) = silence::status(node, now) {
            work.requests.push(ApiRequest::patch_strategic_status(&resource, (None, name), status));
            return work; // the taints follow from the condition
        }
        if let Some(taints) = taints::wanted(node, now) {
            let patch =
                json!({"metadata": {"resourceVersion": Meta(node).resource_version()}, "spec": {"taints": taints}});
            work.requests.push(ApiRequest::patch_merge(&resource, (None, name), patch));
        }
        work
    }

    fn pod(&self, pod: &Value, index: &Index, now: Timestamp) -> Work {
        let on = PodView(pod).node_name();
        if on.is_empty() {
            return Work::default();
        }
        match index.find(&resources::nodes(), "", on) {
            None if !self.gone.contains(on) => {
                if PodView(pod).is_finished() {
                    Work::default()
                } else {
                    Work::one(ApiRequest::get(&resources::nodes(), (None, on)))
                }
            }
            None => loss::of(pod, on, now),
            Some(node) if Meta(node).annotation(FENCED).is_some() => loss::of(pod, on, now),
            Some(node) => eviction::of(pod, node, now),
        }
    }
}

/// Text of a pod's phase and the like for patches that must hit the very same pod.
fn same_pod(pod: &Value) -> Value {
    json!({"uid": text(pod, &["metadata", "uid"])})
}
