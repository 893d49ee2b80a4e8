//! Disruption budgets: how many pods of a kind may be taken away at will. `pods/eviction` asks the status kept here.
//!
//! Rule source: `pkg/controller/disruption/disruption.go`.

mod expected;

#[cfg(test)]
mod tests;

use crate::index::Index;
use crate::reconcile::{Reconciler, Seen, Work, sooner};
use crate::workload::{Key, members, pods, restated};
use crate::{Change, Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::Gvr;
use emberyard_object::condition;
use emberyard_object::view::{Meta, PodView, at, text};
use expected::{Expected, expected};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How long an eviction that was granted counts although its pod still looks alive.
const DELETION: Duration = Duration::from_mins(2);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct DisruptionBudgets;

impl Reconciler for DisruptionBudgets {
    type Key = Key;

    fn name(&self) -> &'static str {
        "disruption-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![
            resources::pod_disruption_budgets(),
            resources::pods(),
            resources::deployments(),
            resources::replica_sets(),
            resources::stateful_sets(),
        ]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource == resources::pods() {
            return pods::keep(object);
        }
        if *resource == resources::pod_disruption_budgets() {
            return trim::without_managed_fields(object);
        }
        let mut kept = trim::only(object, trim::LIFE);
        if let Some(replicas) = at(object, &["spec", "replicas"]) {
            kept["spec"] = json!({"replicas": replicas});
        }
        kept
    }

    fn affected(&mut self, seen: Seen<'_>, index: &Index, _now: Timestamp) -> Vec<Key> {
        let namespace = &seen.id.namespace;
        let resource = resources::pod_disruption_budgets();
        if seen.is(&resource) {
            return vec![(namespace.clone(), seen.id.name.clone())];
        }
        let is_pod = seen.is(&resources::pods());
        if !is_pod && seen.change != Change::Deleted && seen.before.is_some_and(|old| same_scale(old, seen.object)) {
            return Vec::new();
        }
        let concerns = |budget: &&Value| {
            let selects = |pod: &Value| members::selector(budget).is_some_and(|selector| selector.matches(pod));
            !is_pod || selects(seen.object) || seen.before.is_some_and(selects)
        };
        let budgets = index.within(&resource, namespace).filter(concerns);
        budgets.map(|budget| (namespace.clone(), Meta(budget).name().to_owned())).collect()
    }

    fn reconcile(&mut self, (namespace, name): &Key, index: &Index, now: Timestamp, _rng: Rng<'_>) -> Work {
        let resource = resources::pod_disruption_budgets();
        let found = index.find(&resource, namespace, name).filter(|budget| !Meta(budget).is_deleting());
        let Some(budget) = found else { return Work::default() };
        let selector = members::selector(budget);
        let pods = index.within(&resources::pods(), namespace);
        let chosen: Vec<&Value> =
            pods.filter(|pod| selector.as_ref().is_some_and(|selector| selector.matches(pod))).collect();
        let (under_way, again) = under_way(budget, &chosen, now);
        let wanted = status(budget, &chosen, under_way, expected(budget, &chosen, index), now);
        Work { requests: restated(&resource, budget, wanted).into_iter().collect(), again }
    }
}

fn same_scale(old: &Value, new: &Value) -> bool {
    let parts = |object: &Value| {
        (at(object, &["spec", "replicas"]).cloned(), Meta(object).controller().map(|owner| owner.uid.to_owned()))
    };
    parts(old) == parts(new)
}

/// Granted evictions whose pods do not go yet, and when the next of them is given up.
fn under_way(budget: &Value, pods: &[&Value], now: Timestamp) -> (Map<String, Value>, Option<Timestamp>) {
    let mut left = Map::new();
    let mut again: Option<Timestamp> = None;
    let granted = at(budget, &["status", "disruptedPods"]).and_then(Value::as_object);
    for (name, since) in granted.into_iter().flatten() {
        let lives = pods.iter().any(|pod| Meta(pod).name() == name && !Meta(pod).is_deleting());
        let until = since.as_str().and_then(|text| Timestamp::parse(text).ok()).map(|since| since.plus(DELETION));
        if let Some(until) = until.filter(|until| lives && *until > now) {
            left.insert(name.clone(), since.clone());
            sooner(&mut again, until);
        }
    }
    (left, again)
}

fn status(
    budget: &Value,
    pods: &[&Value],
    under_way: Map<String, Value>,
    expected: Result<Expected, String>,
    now: Timestamp,
) -> Value {
    let mut status = budget["status"].clone();
    if !status.is_object() {
        status = json!({});
    }
    let generation = Meta(budget).generation();
    status["observedGeneration"] = json!(generation);
    let (reason, message) = match expected {
        Err(why) => {
            status["disruptionsAllowed"] = json!(0);
            ("SyncFailed", why)
        }
        Ok(Expected { pods: count, healthy }) => {
            let counts = |pod: &&&Value| {
                PodView(pod).is_ready() && !Meta(pod).is_deleting() && !under_way.contains_key(Meta(pod).name())
            };
            let current = i64::try_from(pods.iter().filter(counts).count()).unwrap_or(0);
            let allowed = if count <= 0 { 0 } else { (current - healthy).max(0) };
            status["currentHealthy"] = json!(current);
            status["desiredHealthy"] = json!(healthy);
            status["expectedPods"] = json!(count);
            status["disruptionsAllowed"] = json!(allowed);
            if let (true, Some(fields)) = (under_way.is_empty(), status.as_object_mut()) {
                fields.remove("disruptedPods");
            } else {
                status["disruptedPods"] = Value::Object(under_way);
            }
            (if allowed > 0 { "SufficientPods" } else { "InsufficientPods" }, String::new())
        }
    };
    let is = if reason == "SufficientPods" { "True" } else { "False" };
    let known = condition::find(&status, "DisruptionAllowed");
    let since =
        known.filter(|one| text(one, &["status"]) == is).map(|one| text(one, &["lastTransitionTime"]).to_owned());
    let said = json!({"type": "DisruptionAllowed", "status": is, "reason": reason, "message": message,
        "observedGeneration": generation, "lastTransitionTime": since.unwrap_or_else(|| now.rfc3339())});
    condition::put(&mut status, said);
    status
}
