//! The garbage collector: what has no living owner goes; foreground and orphan deletion are carried through.
//!
//! Rule source: Kubernetes' documentation of owners, dependents and finalizers. An owner counts as absent when
//! a watch has shown its end (a uid never comes back), or when the server, asked, does not have it.

mod absent;
mod owners;

#[cfg(test)]
mod tests;

use crate::index::{Id, Index};
use crate::kinds::Kinds;
use crate::reconcile::{Reconciler, Seen, Work};
use crate::{Change, Rng, resources, trim};
use absent::Absent;
use emberyard_model::Timestamp;
use emberyard_object::view::Meta;
use emberyard_object::{ApiRequest, Catalog, DeleteOptions, Gvr, Method, Propagation};
use owners::{Owners, is_foreground};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// How long until an owner that is not watched, or whose kind is not known, is asked for again.
const ASK_AGAIN: Duration = Duration::from_mins(1);

/// See the module.
#[derive(Debug)]
pub(crate) struct GarbageCollector {
    kinds: Kinds,
    absent: Absent,
    /// Owners that were asked for and are there although no watch has shown them.
    present: BTreeSet<String>,
    /// Which uids each question is about.
    questions: BTreeMap<String, BTreeSet<String>>,
}

impl GarbageCollector {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        Self {
            kinds: Kinds::of(catalog),
            absent: Absent::default(),
            present: BTreeSet::new(),
            questions: BTreeMap::new(),
        }
    }

    /// An object whose own deletion waits for its dependents.
    fn carry_through(object: &Value, id: &Id, index: &Index) -> Work {
        let meta = Meta(object);
        let mut work = Work::default();
        if meta.finalizers().any(|one| one == ORPHAN) {
            for (dependent, its) in index.owned_by(meta.uid()) {
                work.requests.push(owners::without(dependent, its, |uid| uid == meta.uid()));
            }
            if work.requests.is_empty() {
                work.requests.push(without_finalizer(id, meta, ORPHAN));
            }
        } else if meta.finalizers().any(|one| one == FOREGROUND) {
            let blocks =
                |its: &Value| Meta(its).owners().any(|owner| owner.uid == meta.uid() && owner.block_owner_deletion);
            if !index.owned_by(meta.uid()).any(|(_, its)| blocks(its)) {
                work.requests.push(without_finalizer(id, meta, FOREGROUND));
            }
        }
        work
    }

    fn judge(&mut self, object: &Value, id: &Id, index: &Index, now: Timestamp) -> Work {
        let meta = Meta(object);
        let owners = Owners::sort(object, index, &self.absent, &mut self.present);
        if !owners.unknown.is_empty() {
            return self.ask(object, &owners.unknown, now);
        }
        if owners.solid > 0 {
            if owners.dangling.is_empty() && owners.waiting.is_empty() {
                return if owners.unwatched { Work::later(now.plus(ASK_AGAIN)) } else { Work::default() };
            }
            let gone = |uid: &str| owners.dangling.contains(uid) || owners.waiting.contains(uid);
            return Work::one(owners::without(id, object, gone));
        }
        let dependents = || index.owned_by(meta.uid());
        let mut work = Work::default();
        let mut propagation = Propagation::Background;
        if !owners.waiting.is_empty() && dependents().next().is_some() {
            propagation = Propagation::Foreground;
            if dependents().any(|(_, its)| is_foreground(Meta(its))) {
                // A circle: nobody may wait for anybody in it.
                work.requests.push(owners::unblock(id, object));
            }
        }
        let options = DeleteOptions {
            uid: Some(meta.uid().to_owned()),
            propagation: Some(propagation),
            ..DeleteOptions::default()
        };
        work.requests.push(ApiRequest::delete(&id.resource, id.at(), &options));
        work
    }

    /// Asks the server for owners that no watch has shown.
    fn ask(&mut self, object: &Value, unknown: &BTreeSet<String>, now: Timestamp) -> Work {
        let mut work = Work::default();
        let namespace = Meta(object).namespace();
        for owner in Meta(object).owners().filter(|owner| unknown.contains(owner.uid)) {
            let Some(served) = self.kinds.find(owner.api_version, owner.kind) else {
                work.again = Some(now.plus(ASK_AGAIN)); // a kind that may still come
                continue;
            };
            let within = (served.namespaced && !namespace.is_empty()).then_some(namespace);
            let request = ApiRequest::get(&served.resource, (within, owner.name));
            self.questions.entry(request.path.clone()).or_default().insert(owner.uid.to_owned());
            work.requests.push(request);
        }
        work
    }
}

fn without_finalizer(id: &Id, meta: Meta<'_>, finalizer: &str) -> ApiRequest {
    let left: Vec<&str> = meta.finalizers().filter(|one| *one != finalizer).collect();
    let patch = json!({"metadata": {"finalizers": left, "resourceVersion": meta.resource_version()}});
    ApiRequest::patch_merge(&id.resource, id.at(), patch)
}

impl Reconciler for GarbageCollector {
    type Key = Id;

    fn name(&self) -> &'static str {
        "generic-garbage-collector"
    }

    fn watches(&self) -> Vec<Gvr> {
        self.kinds.watches(|_| true)
    }

    fn keep(&self, _resource: &Gvr, object: &Value) -> Value {
        trim::only(object, trim::LIFE)
    }

    fn affected(&mut self, seen: Seen<'_>, index: &Index, _now: Timestamp) -> Vec<Id> {
        let meta = Meta(seen.object);
        let gone = seen.change == Change::Deleted;
        if seen.is(&resources::custom_resource_definitions()) {
            self.kinds.definition(seen.object, gone);
        }
        let dependents = || index.owned_by(meta.uid()).map(|(id, _)| id.clone());
        if gone {
            self.absent.insert(meta.uid());
            // Owners whose deletion waited for this one.
            let owners =
                meta.owners().filter_map(|owner| index.by_uid(owner.uid)).filter(|(_, its)| Meta(its).is_deleting());
            return dependents().chain(owners.map(|(id, _)| id.clone())).collect();
        }
        let mut keys = vec![seen.id.clone()];
        if is_foreground(meta) && !seen.before.is_some_and(|before| is_foreground(Meta(before))) {
            keys.extend(dependents());
        }
        // A lost or unblocked owner reference may be what a deletion waited for.
        for owner in seen.before.into_iter().flat_map(|before| Meta(before).owners()) {
            keys.extend(index.by_uid(owner.uid).filter(|(_, its)| Meta(its).is_deleting()).map(|(id, _)| id.clone()));
        }
        keys
    }

    fn reconcile(&mut self, id: &Id, index: &Index, now: Timestamp, _rng: Rng<'_>) -> Work {
        let Some(object) = index.get(id) else { return Work::default() };
        if Meta(object).is_deleting() {
            return Self::carry_through(object, id, index);
        }
        if Meta(object).owners().next().is_none() {
            return Work::default();
        }
        self.judge(object, id, index, now)
    }

    fn answered(&mut self, _id: &Id, request: &ApiRequest, status: u16, body: &Value) -> bool {
        if request.method != Method::Get {
            return false;
        }
        let Some(asked) = self.questions.remove(&request.path) else { return true };
        for uid in asked {
            match status {
                200 if Meta(body).uid() == uid => drop(self.present.insert(uid)),
                200 | 404 => self.absent.insert(&uid),
                _ => {}
            }
        }
        matches!(status, 200 | 404)
    }

    fn rewatch(&mut self) -> bool {
        self.kinds.take_changed()
    }
}
