//! Stateful sets: pods with names, places and disks that outlive them.
//!
//! Rule source: `pkg/controller/statefulset/{stateful_set_control,stateful_set_utils}.go`.

mod claims;
mod identity;
mod revisions;
mod status;
mod steps;

#[cfg(test)]
mod tests;

use crate::index::Index;
use crate::reconcile::{Reconciler, Seen, Work};
use crate::workload::amount::{self, Round};
use crate::workload::members::{self, Owner};
use crate::workload::{Key, number, pods, restated};
use crate::{Change, Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::Gvr;
use emberyard_object::view::{Meta, at, list, text};
use identity::ordinal;
use serde_json::Value;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct StatefulSets;

/// A stateful set, as its steps look at it.
#[derive(Debug, Clone, Copy)]
struct Set<'a>(&'a Value);

impl<'a> Set<'a> {
    fn meta(self) -> Meta<'a> {
        Meta(self.0)
    }

    fn owner(self) -> Owner<'a> {
        Owner { api_version: "apps/v1", kind: "StatefulSet", object: self.0 }
    }

    fn replicas(self) -> i64 {
        number(self.0, &["spec", "replicas"]).unwrap_or(1)
    }

    /// The lowest ordinal.
    fn start(self) -> i64 {
        number(self.0, &["spec", "ordinals", "start"]).unwrap_or(0)
    }

    /// Ordinals that are to have a pod.
    fn ordinals(self) -> std::ops::Range<i64> {
        self.start()..self.start() + self.replicas()
    }

    /// Whether one pod waits for another.
    fn in_order(self) -> bool {
        text(self.0, &["spec", "podManagementPolicy"]) != "Parallel"
    }

    /// Whether pods are replaced by the controller when the template changes.
    fn rolls(self) -> bool {
        text(self.0, &["spec", "updateStrategy", "type"]) != "OnDelete"
    }

    /// Ordinals below this keep the current revision while the set rolls.
    fn partition_end(self) -> i64 {
        self.start() + number(self.0, &["spec", "updateStrategy", "rollingUpdate", "partition"]).unwrap_or(0)
    }

    /// How many pods may be away while the set rolls.
    fn max_unavailable(self) -> i64 {
        let value = at(self.0, &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]).unwrap_or(&Value::Null);
        amount::of(value, self.replicas(), Round::Up).unwrap_or(1).max(1)
    }

    fn min_ready_seconds(self) -> i64 {
        number(self.0, &["spec", "minReadySeconds"]).unwrap_or(0)
    }

    fn claim_templates(self) -> &'a [Value] {
        list(self.0, &["spec", "volumeClaimTemplates"])
    }

    /// Whether claims are to go with `whenDeleted` the set or `whenScaled` their pod.
    fn deletes_claims(self, when: &str) -> bool {
        text(self.0, &["spec", "persistentVolumeClaimRetentionPolicy", when]) == "Delete"
    }
}

impl Reconciler for StatefulSets {
    type Key = Key;

    fn name(&self) -> &'static str {
        "statefulset-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![
            resources::stateful_sets(),
            resources::controller_revisions(),
            resources::persistent_volume_claims(),
            resources::pods(),
        ]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource == resources::pods() { pods::keep(object) } else { trim::without_managed_fields(object) }
    }

    fn affected(&mut self, seen: Seen<'_>, index: &Index, _now: Timestamp) -> Vec<Key> {
        let namespace = &seen.id.namespace;
        let key = |name: &str| (namespace.clone(), name.to_owned());
        if seen.is(&resources::stateful_sets()) {
            return vec![key(&seen.id.name)];
        }
        if seen.is(&resources::persistent_volume_claims()) {
            let is_of = |set: &&Value| claims::is_of(Set(set), &seen.id.name);
            let sets = index.within(&resources::stateful_sets(), namespace).filter(is_of);
            return sets.map(|set| key(Meta(set).name())).collect();
        }
        let mut keys = members::controllers([Some(seen.object), seen.before], "StatefulSet");
        // A pod or revision that may be taken, or that stood where one of the set's is to be.
        let free = Meta(seen.object).controller().is_none() || seen.change == Change::Deleted;
        if let Some((set, _)) = seen.id.name.rsplit_once('-').filter(|_| free) {
            keys.push(key(set));
        }
        keys
    }

    fn reconcile(&mut self, (namespace, name): &Key, index: &Index, now: Timestamp, _rng: Rng<'_>) -> Work {
        let found = index.find(&resources::stateful_sets(), namespace, name);
        let Some(set) = found.filter(|set| !Meta(set).is_deleting()).map(Set) else { return Work::default() };
        let Some(selector) = members::selector(set.0) else { return Work::default() };
        let (resource, owner) = (resources::pods(), set.owner());
        let named = |pod: &Value| ordinal(Meta(pod).name(), name).is_some();
        let taken = members::of(&resource, &owner, &selector, index.within(&resource, namespace), named);
        if !taken.claims.is_empty() {
            return Work { requests: taken.claims, again: None };
        }
        let pods: BTreeMap<i64, &Value> =
            taken.mine.into_iter().filter_map(|pod| Some((ordinal(Meta(pod).name(), name)?, pod))).collect();
        let history = match revisions::look(set, index) {
            revisions::Look::Write(request) => return Work::one(request),
            revisions::Look::Ready(history) => history,
        };
        let mut work = steps::plan(set, &history, &pods, index, now);
        let wanted = status::of(set, &history, &pods, now);
        work.requests.extend(restated(&resources::stateful_sets(), set.0, wanted));
        if work.requests.is_empty() {
            work.requests = revisions::surplus(set, &history, pods.values().copied());
        }
        work
    }
}
