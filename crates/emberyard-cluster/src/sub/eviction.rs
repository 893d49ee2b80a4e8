//! `pods/eviction`: a delete that disruption budgets may refuse.

use crate::body::Body;
use crate::call::{Call, Done, Place};
use crate::failure::{Failure, Outcome};
use emberyard_object::Gvk;
use emberyard_object::selector::LabelSelector;
use emberyard_object::view::{PodView, at as value_at};
use serde_json::{Value, json};

impl Call<'_> {
    pub(crate) fn evict(&mut self, at: &Place, due: &Gvk) -> Outcome<Done> {
        let eviction = Body::read(self.request, self.server.config.body_limit, Some(due))?.value;
        let mut options = self.delete_options_without_body()?;
        if let Some(given) = eviction.get("deleteOptions") {
            options.read(given)?;
        }
        let live = self.live(at)?;
        let ended = PodView(&live.value).is_finished() || live.meta().is_deleting();
        if !ended && self.budget_is_spent(at, &live.value) {
            let message = "Cannot evict pod as it would violate the pod's disruption budget.";
            return Err(Failure::too_many(message, 10).caused_by(json!([{"reason": "DisruptionBudget",
                "message": "The disruption budget of this pod allows no disruption now."}])));
        }
        self.delete_object(at, &live, &options)?;
        Ok(Done::success(201))
    }

    fn budget_is_spent(&self, at: &Place, pod: &Value) -> bool {
        self.server.store.list("poddisruptionbudgets.policy", Some(at.namespace())).any(|budget| {
            let selector = value_at(&budget.value, &["spec", "selector"]).unwrap_or(&Value::Null);
            let selects = LabelSelector::from_json(selector).ok().flatten().is_some_and(|s| s.matches(pod));
            let left = value_at(&budget.value, &["status", "disruptionsAllowed"]).and_then(Value::as_i64).unwrap_or(0);
            selects && left <= 0
        })
    }
}
