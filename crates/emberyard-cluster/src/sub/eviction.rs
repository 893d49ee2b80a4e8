//! `pods/eviction`: a delete that disruption budgets may refuse, as whoever drains a node asks for it.
//!
//! Rule source: `pkg/registry/core/pod/storage/eviction.go`.

use crate::body::Body;
use crate::call::{Call, Done, Part, Place};
use crate::failure::{Failure, Outcome};
use crate::path::ResourcePath;
use crate::store::Object;
use crate::watch::WatchForm;
use emberyard_object::condition;
use emberyard_object::selector::LabelSelector;
use emberyard_object::view::{Meta, PodView, at as value_at, text};
use emberyard_object::{Gvk, Gvr};
use serde_json::{Value, json};
use std::sync::Arc;

const BUDGETS: &str = "poddisruptionbudgets.policy";
const VIOLATES: &str = "Cannot evict pod as it would violate the pod's disruption budget.";
/// So many evictions of one budget may be under way before its controller has seen any.
const MOST_UNSEEN: usize = 2000;

impl Call<'_> {
    pub(crate) fn evict(&mut self, at: &Place, due: &Gvk) -> Outcome<Done> {
        let eviction = Body::read(self.request, self.server.config.body_limit, Some(due))?.value;
        let named = Meta(&eviction).name();
        if !named.is_empty() && named != at.name() {
            return Err(Failure::bad_request("name in URL does not match name in Eviction object"));
        }
        let mut options = self.delete_options_without_body()?;
        if let Some(given) = eviction.get("deleteOptions") {
            options.read(given)?;
        }
        let live = self.live(at)?;
        options.check(at, at.name(), &live.value)?;
        if let Some(budget) = self.budget_of(at, &live.value)? {
            self.spend(at, &budget, options.dry_run)?;
        }
        let told = self.tell(at, &live, options.dry_run)?;
        // What was written just now must not count against the caller's precondition, which has been checked.
        options.revision = None;
        self.delete_object(at, &told, &options)?;
        Ok(Done::success(201))
    }

    /// The budget that must allow the eviction, if one must.
    fn budget_of(&self, at: &Place, pod: &Value) -> Outcome<Option<Arc<Object>>> {
        let view = PodView(pod);
        if view.is_finished() || view.phase() == "Pending" || view.meta().is_deleting() {
            return Ok(None);
        }
        let selects = |budget: &&Arc<Object>| {
            let selector = LabelSelector::from_json(&budget.value["spec"]["selector"]).ok().flatten();
            selector.is_some_and(|selector| selector.matches(pod))
        };
        let mut budgets = self.server.store.list(BUDGETS, Some(at.namespace())).filter(selects);
        let Some(budget) = budgets.next().cloned() else { return Ok(None) };
        if budgets.next().is_some() {
            return Err(Failure::several_budgets());
        }
        if view.is_ready() {
            return Ok(Some(budget));
        }
        // A pod that serves nobody is not missed where the budget says so, or where the others are enough.
        let number = |field: &str| number(&budget.value, field);
        let enough = number("desiredHealthy") > 0 && number("currentHealthy") >= number("desiredHealthy");
        let always = text(&budget.value, &["spec", "unhealthyPodEvictionPolicy"]) == "AlwaysAllow";
        Ok((!always && !enough).then_some(budget))
    }

    /// Takes one disruption off a budget, or refuses.
    fn spend(&mut self, at: &Place, budget: &Arc<Object>, dry_run: bool) -> Outcome<()> {
        let name = budget.meta().name().to_owned();
        let refuse = |why: String, after: Option<u32>| {
            let cause = json!([{"reason": "DisruptionBudget", "message": why}]);
            Err(Failure::too_many_requests(VIOLATES, after).caused_by(cause))
        };
        let number = |field: &str| number(&budget.value, field);
        if number("observedGeneration") < budget.meta().generation() {
            let why = format!("The disruption budget {name} is still being processed by the server.");
            return refuse(why, Some(10));
        }
        let gvr = Gvr::new("policy", "v1", "poddisruptionbudgets");
        let under_way = value_at(&budget.value, &["status", "disruptedPods"]).and_then(Value::as_object);
        if under_way.is_some_and(|pods| pods.len() > MOST_UNSEEN) {
            let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
            return Err(Failure::forbidden(&gvr, &name, why));
        }
        let allowed = number("disruptionsAllowed");
        if allowed < 0 {
            return Err(Failure::forbidden(&gvr, &name, "pdb disruptions allowed is negative"));
        }
        if allowed == 0 {
            let why = format!(
                "The disruption budget {name} needs {} healthy pods and has {} currently",
                number("desiredHealthy"),
                number("currentHealthy")
            );
            return refuse(why, None);
        }
        let mut spent = budget.value.clone();
        spent["status"]["disruptionsAllowed"] = json!(allowed - 1);
        if !spent["status"]["disruptedPods"].is_object() {
            spent["status"]["disruptedPods"] = json!({});
        }
        spent["status"]["disruptedPods"][at.name()] = json!(self.now.rfc3339());
        if allowed == 1 {
            no_more(&mut spent, &self.now.rfc3339());
        }
        let kind = self.server.catalog.find("policy", "v1", "poddisruptionbudgets");
        let kind = Arc::clone(kind.ok_or_else(Failure::no_such_path)?);
        let path = ResourcePath {
            group: gvr.group.clone(),
            version: gvr.version.clone(),
            namespace: Some(at.namespace().to_owned()),
            resource: gvr.resource.clone(),
            name: Some(name),
            subresource: "status".to_owned(),
            rest: String::new(),
            prefix: String::new(),
        };
        let place = Place { kind, resource: BUDGETS.into(), path, verb: "update", form: WatchForm::Whole };
        self.replace(&place, budget, spent, Part::Status, None, dry_run).map(|_| ())
    }

    /// Leaves word in the pod of why it goes.
    fn tell(&mut self, at: &Place, live: &Arc<Object>, dry_run: bool) -> Outcome<Arc<Object>> {
        if dry_run || live.meta().is_deleting() {
            return Ok(Arc::clone(live));
        }
        let mut pod = live.value.clone();
        let said = json!({"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting", "lastTransitionTime": self.now.rfc3339()});
        condition::put(&mut pod["status"], said);
        self.replace(at, live, pod, Part::Status, None, false)
    }
}

fn number(budget: &Value, field: &str) -> i64 {
    value_at(budget, &["status", field]).and_then(Value::as_i64).unwrap_or(0)
}

/// The last allowed disruption was spent.
fn no_more(budget: &mut Value, now: &str) {
    for condition in budget["status"]["conditions"].as_array_mut().into_iter().flatten() {
        if condition["type"] == "DisruptionAllowed" && condition["status"] == "True" {
            condition["status"] = json!("False");
            condition["reason"] = json!("InsufficientPods");
            condition["lastTransitionTime"] = json!(now);
        }
    }
}
