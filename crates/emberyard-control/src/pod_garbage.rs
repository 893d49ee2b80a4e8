//! Pods that nobody will ever clear away: of vanished nodes, never bound, or too many finished ones.

use crate::index::{Id, Index};
use crate::reconcile::{Reconciler, Seen, Work};
use crate::{Change, Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, PodView};
use emberyard_object::{ApiRequest, DeleteOptions, Gvr, Method};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// So many finished pods are kept.
pub(crate) const THRESHOLD: usize = 1000;
/// How long a node must have been away: whoever made its pods should see them fail first.
const QUARANTINE: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(crate) struct PodGarbage {
    threshold: usize,
    /// Finished pods, oldest first.
    finished: BTreeSet<(Timestamp, Key)>,
    /// Nodes that are known to be gone, and since when.
    gone: BTreeMap<String, Timestamp>,
}

/// Namespace and name.
type Key = (String, String);

impl PodGarbage {
    pub(crate) fn new(threshold: usize) -> Self {
        Self { threshold, finished: BTreeSet::new(), gone: BTreeMap::new() }
    }
}

impl Reconciler for PodGarbage {
    type Key = Key;

    fn name(&self) -> &'static str {
        "pod-garbage-collector"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::pods(), resources::nodes()]
    }

    fn keep(&self, _resource: &Gvr, object: &Value) -> Value {
        let mut kept = trim::only(object, trim::LIFE);
        kept["spec"] = json!({"nodeName": PodView(object).node_name()});
        kept["status"] = json!({"phase": PodView(object).phase()});
        kept
    }

    fn affected(&mut self, seen: Seen<'_>, index: &Index, now: Timestamp) -> Vec<Key> {
        let gone = seen.change == Change::Deleted;
        if seen.is(&resources::nodes()) {
            let name = &seen.id.name;
            if !gone {
                self.gone.remove(name);
                return Vec::new();
            }
            self.gone.insert(name.clone(), now);
            let pods = index.all(&resources::pods()).filter(|pod| PodView(pod).node_name() == name);
            return pods.map(|pod| (Meta(pod).namespace().to_owned(), Meta(pod).name().to_owned())).collect();
        }
        let key = (seen.id.namespace.clone(), seen.id.name.clone());
        let entry = (Meta(seen.object).created().unwrap_or_default(), key.clone());
        if gone || !PodView(seen.object).is_finished() {
            self.finished.remove(&entry);
        } else {
            self.finished.insert(entry);
        }
        let surplus = self.finished.len().saturating_sub(self.threshold);
        let oldest = self.finished.iter().take(surplus).map(|(_, key)| key.clone());
        oldest.chain([key]).collect()
    }

    fn reconcile(&mut self, key: &Key, index: &Index, now: Timestamp, _rng: Rng<'_>) -> Work {
        let Some(pod) = index.find(&resources::pods(), &key.0, &key.1) else { return Work::default() };
        let node = PodView(pod).node_name();
        if node.is_empty() {
            return if Meta(pod).is_deleting() { delete(pod) } else { self.surplus(pod, key) };
        }
        if index.find(&resources::nodes(), "", node).is_some() {
            return self.surplus(pod, key);
        }
        match self.gone.get(node) {
            None => Work::one(ApiRequest::get(&resources::nodes(), (None, node))),
            Some(since) if since.plus(QUARANTINE) > now => Work::later(since.plus(QUARANTINE)),
            Some(_) => delete(pod),
        }
    }

    fn answered(&mut self, _key: &Key, request: &ApiRequest, status: u16, _body: &Value) -> bool {
        // The question was whether a node that no watch shows is there.
        let name = request.path.rsplit('/').next().unwrap_or("").to_owned();
        let gone = request.method == Method::Get && status == 404;
        if gone {
            self.gone.entry(name).or_default();
        }
        gone
    }
}

impl PodGarbage {
    fn surplus(&self, pod: &Value, key: &Key) -> Work {
        let surplus = self.finished.len().saturating_sub(self.threshold);
        if self.finished.iter().take(surplus).any(|(_, one)| one == key) { delete(pod) } else { Work::default() }
    }
}

fn delete(pod: &Value) -> Work {
    let resource = resources::pods();
    let options =
        DeleteOptions { grace_seconds: Some(0), uid: Some(Meta(pod).uid().to_owned()), ..DeleteOptions::default() };
    Work::one(ApiRequest::delete(&resource, Id::of(&resource, pod).at(), &options))
}
