//! Deployments: one replica set for each template, and a way from the old to the new.
//!
//! Rule source: `pkg/controller/deployment/{sync,rolling,recreate,progress}.go` and `util/deployment_util.go`.

mod conditions;
mod newest;
mod rolling;
mod status;

#[cfg(test)]
mod tests;

use crate::index::{Id, Index};
use crate::reconcile::{Reconciler, Seen, Work};
use crate::workload::amount::{self, Round};
use crate::workload::members::{self, Owner};
use crate::workload::{Key, number, restated};
use crate::{Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, PodView, at, text};
use emberyard_object::{ApiRequest, Gvr};
use serde_json::{Value, json};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Deployments;

/// A deployment, as its steps look at it.
#[derive(Debug, Clone, Copy)]
struct Deployment<'a>(&'a Value);

impl<'a> Deployment<'a> {
    fn meta(self) -> Meta<'a> {
        Meta(self.0)
    }

    fn owner(self) -> Owner<'a> {
        Owner { api_version: "apps/v1", kind: "Deployment", object: self.0 }
    }

    fn replicas(self) -> i64 {
        number(self.0, &["spec", "replicas"]).unwrap_or(1)
    }

    fn is_paused(self) -> bool {
        self.0["spec"]["paused"] == true
    }

    fn recreates(self) -> bool {
        text(self.0, &["spec", "strategy", "type"]) == "Recreate"
    }

    /// How many pods there may be beyond the number, and how many may be away. Never both none: nothing would move.
    fn leeway(self) -> (i64, i64) {
        if self.recreates() || self.replicas() == 0 {
            return (0, 0);
        }
        let limit = |name: &str, round| {
            let value = at(self.0, &["spec", "strategy", "rollingUpdate", name]).unwrap_or(&Value::Null);
            amount::of(value, self.replicas(), round).unwrap_or(0)
        };
        match (limit("maxSurge", Round::Up), limit("maxUnavailable", Round::Down)) {
            (0, 0) => (0, 1),
            (surge, away) => (surge, away.min(self.replicas())),
        }
    }
}

/// How many pods a replica set is to have.
fn wanted(set: &Value) -> i64 {
    number(set, &["spec", "replicas"]).unwrap_or(1)
}

/// A number of a replica set's status.
fn counted(set: &Value, field: &str) -> i64 {
    number(set, &["status", field]).unwrap_or(0)
}

fn scaled(set: &Value, replicas: i64) -> ApiRequest {
    let mut object = set.clone();
    object["spec"]["replicas"] = json!(replicas);
    write(&resources::replica_sets(), object)
}

fn write(resource: &Gvr, object: Value) -> ApiRequest {
    ApiRequest::update(resource, Id::of(resource, &object).at(), object)
}

impl Reconciler for Deployments {
    type Key = Key;

    fn name(&self) -> &'static str {
        "deployment-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::deployments(), resources::replica_sets(), resources::pods()]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource != resources::pods() {
            return trim::without_managed_fields(object);
        }
        let mut kept = trim::only(object, trim::LIFE);
        kept["status"] = json!({"phase": PodView(object).phase()});
        kept
    }

    fn affected(&mut self, seen: Seen<'_>, index: &Index, _now: Timestamp) -> Vec<Key> {
        let key = |name: &str| (seen.id.namespace.clone(), name.to_owned());
        if seen.is(&resources::deployments()) {
            return vec![key(&seen.id.name)];
        }
        let mut found = seen.object;
        if seen.is(&resources::pods()) {
            // Only the last pod of an old set matters, and only where the new set waits for it.
            let set = Meta(seen.object).controller().and_then(|owner| index.by_uid(owner.uid));
            match set.filter(|_| seen.change == crate::Change::Deleted || PodView(seen.object).is_finished()) {
                Some((_, set)) => found = set,
                None => return Vec::new(),
            }
        }
        let mut keys = members::controllers([Some(found), seen.before], "Deployment");
        if seen.is(&resources::replica_sets()) && Meta(seen.object).controller().is_none() {
            let selects = |one: &&Value| members::selector(one).is_some_and(|selector| selector.matches(seen.object));
            let all = index.within(&resources::deployments(), &seen.id.namespace).filter(selects);
            keys.extend(all.map(|one| key(Meta(one).name())));
        }
        keys
    }

    fn reconcile(&mut self, (namespace, name): &Key, index: &Index, now: Timestamp, _rng: Rng<'_>) -> Work {
        let resource = resources::deployments();
        let found = index.find(&resource, namespace, name).filter(|one| !Meta(one).is_deleting());
        let Some(deployment) = found.map(Deployment) else { return Work::default() };
        let Some(selector) = members::selector(deployment.0).filter(|selector| !selector.is_empty()) else {
            return Work::default();
        };
        let sets = resources::replica_sets();
        let taken = members::of(&sets, &deployment.owner(), &selector, index.within(&sets, namespace), |_| true);
        if !taken.claims.is_empty() {
            return Work { requests: taken.claims, again: None };
        }
        let mut all: Vec<&Value> = taken.mine.into_iter().filter(|set| !Meta(set).is_deleting()).collect();
        all.sort_by_key(|set| (Meta(set).created(), Meta(set).name().to_owned()));
        let new = newest::find(deployment, &all);
        let old: Vec<&Value> =
            all.iter().copied().filter(|set| new.is_none_or(|new| Meta(set).uid() != Meta(new).uid())).collect();
        let (status, again) = status::of(deployment, new, &all, now);
        let mut work = Work { requests: steps(deployment, new, &old, index), again };
        work.requests.extend(restated(&resource, deployment.0, status));
        if work.requests.is_empty() {
            work.requests = newest::surplus(deployment, &old);
        }
        work
    }
}

/// What is next on the way to one set of the newest template.
fn steps(deployment: Deployment<'_>, new: Option<&Value>, old: &[&Value], index: &Index) -> Vec<ApiRequest> {
    if let Some(request) = newest::numbered(deployment, new, old) {
        return vec![request];
    }
    if deployment.is_paused() {
        // A paused deployment still has as many pods as it is told, as far as that is one set's matter.
        let mut active = old.iter().copied().chain(new).filter(|set| wanted(set) > 0);
        return match (active.next().or(new), active.next()) {
            (Some(only), None) if wanted(only) != deployment.replicas() => vec![scaled(only, deployment.replicas())],
            _ => Vec::new(),
        };
    }
    if deployment.recreates() {
        let down: Vec<ApiRequest> = old.iter().filter(|set| wanted(set) > 0).map(|set| scaled(set, 0)).collect();
        if !down.is_empty() {
            return down;
        }
        let runs = |set: &&Value| {
            let mut pods = index.owned_by(Meta(set).uid()).filter(|(id, _)| id.resource == resources::pods());
            pods.any(|(_, pod)| !PodView(pod).is_finished())
        };
        if old.iter().any(runs) {
            return Vec::new();
        }
    }
    match new {
        None => vec![newest::make(deployment, old, index)],
        Some(new) if deployment.recreates() => {
            let differs = wanted(new) != deployment.replicas();
            differs.then(|| scaled(new, deployment.replicas())).into_iter().collect()
        }
        Some(new) => rolling::steps(deployment, new, old),
    }
}
