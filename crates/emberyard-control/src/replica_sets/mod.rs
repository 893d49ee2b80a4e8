//! Replica sets: so many pods of one template, whichever they are.
//!
//! Rule source: `pkg/controller/replicaset/replica_set.go`, `controller.ActivePodsWithRanks`.

mod ranking;

#[cfg(test)]
mod tests;

pub(crate) use ranking::first_to_go;

use crate::index::Index;
use crate::reconcile::{Reconciler, Seen, Work, sooner};
use crate::workload::members::{self, Owner};
use crate::workload::pods::{Available, available, from_template, is_active};
use crate::workload::{Key, number, pods, restated, set as put};
use crate::{Change, Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::selector::LabelSelector;
use emberyard_object::view::{Meta, PodView, at};
use emberyard_object::{ApiRequest, Gvr, Method};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// So many pods are made or deleted at once.
const BURST: usize = 500;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct ReplicaSets {
    /// Pods, by uid, whose delete is on its way: the watch does not show it yet, and another look must not choose others
    /// in addition.
    going: BTreeSet<String>,
}

impl Reconciler for ReplicaSets {
    type Key = Key;

    fn name(&self) -> &'static str {
        "replicaset-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::replica_sets(), resources::pods()]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource == resources::pods() { pods::keep(object) } else { trim::without_managed_fields(object) }
    }

    fn affected(&mut self, seen: Seen<'_>, index: &Index, _now: Timestamp) -> Vec<Key> {
        let key = |name: &str| (seen.id.namespace.clone(), name.to_owned());
        if seen.is(&resources::replica_sets()) {
            return vec![key(&seen.id.name)];
        }
        if seen.change == Change::Deleted {
            self.going.remove(Meta(seen.object).uid());
        }
        let mut keys = members::controllers([Some(seen.object), seen.before], "ReplicaSet");
        if Meta(seen.object).controller().is_none() {
            let selects = |set: &&Value| members::selector(set).is_some_and(|selector| selector.matches(seen.object));
            let sets = index.within(&resources::replica_sets(), &seen.id.namespace).filter(selects);
            keys.extend(sets.map(|set| key(Meta(set).name())));
        }
        keys
    }

    fn reconcile(&mut self, (namespace, name): &Key, index: &Index, now: Timestamp, _rng: Rng<'_>) -> Work {
        let resource = resources::replica_sets();
        let Some(set) = index.find(&resource, namespace, name) else { return Work::default() };
        let Some(selector) = members::selector(set) else { return Work::default() };
        let owner = Owner { api_version: "apps/v1", kind: "ReplicaSet", object: set };
        let running = index.within(&resources::pods(), namespace).filter(|pod| !PodView(pod).is_finished());
        let taken = members::of(&resources::pods(), &owner, &selector, running, |_| true);
        if !taken.claims.is_empty() {
            return Work { requests: taken.claims, again: None };
        }
        let lives = |pod: &&Value| is_active(pod) && !self.going.contains(Meta(pod).uid());
        let active: Vec<&Value> = taken.mine.into_iter().filter(lives).collect();
        let mut work = Work::default();
        let wanted = usize::try_from(number(set, &["spec", "replicas"]).unwrap_or(1)).unwrap_or(0);
        if !Meta(set).is_deleting() {
            if active.len() < wanted {
                work.requests = grow(&owner, index, (wanted - active.len()).min(BURST));
            } else {
                let over = ranking::first_to_go(&active, (active.len() - wanted).min(BURST));
                self.going.extend(over.iter().map(|pod| Meta(pod).uid().to_owned()));
                work.requests = over.into_iter().map(|pod| members::delete(&resources::pods(), pod)).collect();
            }
        }
        let status = status(set, &selector, &active, now, &mut work.again);
        work.requests.extend(restated(&resource, set, status));
        work
    }

    fn answered(&mut self, _key: &Key, request: &ApiRequest, status: u16, _body: &Value) -> bool {
        let failed = request.method == Method::Delete && !matches!(status, 200..=299);
        if failed && let Some(uid) = request.body.as_ref().and_then(|body| body["preconditions"]["uid"].as_str()) {
            self.going.remove(uid);
        }
        failed
    }
}

/// New pods.
fn grow(owner: &Owner<'_>, index: &Index, count: usize) -> Vec<ApiRequest> {
    let (resource, meta) = (resources::pods(), Meta(owner.object));
    let prefix = shortened(meta.name()).to_owned();
    pods::free_names(index, meta.namespace(), prefix, meta.uid().to_owned())
        .take(count)
        .map(|name| {
            let mut pod = from_template(&owner.object["spec"]["template"], meta.namespace(), owner.reference());
            pod["metadata"]["name"] = json!(name);
            // Only tells people that the name is not theirs to choose.
            pod["metadata"]["generateName"] = json!(format!("{}-", meta.name()));
            ApiRequest::create(&resource, Some(meta.namespace()), pod)
        })
        .collect()
}

/// Names of pods are made host names, which have at most 63 characters.
fn shortened(name: &str) -> &str {
    name.get(..57).unwrap_or(name)
}

fn status(
    set: &Value,
    selector: &LabelSelector,
    active: &[&Value],
    now: Timestamp,
    again: &mut Option<Timestamp>,
) -> Value {
    let labels = at(set, &["spec", "template", "metadata", "labels"]);
    let labelled = labels.map_or_else(|| selector.clone(), LabelSelector::from_map);
    let seconds = number(set, &["spec", "minReadySeconds"]).unwrap_or(0);
    let mut there = 0;
    for pod in active {
        match available(pod, seconds, now) {
            Available::Yes => there += 1,
            Available::Later(then) => sooner(again, then),
            Available::No => {}
        }
    }
    let count = |test: &dyn Fn(&Value) -> bool| active.iter().filter(|pod| test(pod)).count();
    let mut status = set["status"].clone();
    put(
        &mut status,
        &[
            ("observedGeneration", json!(Meta(set).generation())),
            ("fullyLabeledReplicas", json!(count(&|pod| labelled.matches(pod)))),
            ("readyReplicas", json!(count(&|pod| PodView(pod).is_ready()))),
            ("availableReplicas", json!(there)),
        ],
    );
    status["replicas"] = json!(active.len());
    status
}
