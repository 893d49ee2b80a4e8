//! Pods made from templates, and whether they do their work.

use super::hash;
use crate::index::Index;
use crate::{resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, PodView, at, list, text};
use serde_json::{Value, json};
use std::time::Duration;

/// What controllers look at in a pod beside [`trim::LIFE`].
const KEPT: &[&[&str]] = &[
    &["metadata", "labels"],
    &["metadata", "annotations"],
    &["spec", "nodeName"],
    &["status", "phase"],
    &["status", "reason"],
];

/// What of a pod its controllers look at.
pub(crate) fn keep(pod: &Value) -> Value {
    let mut kept = trim::only(pod, &[trim::LIFE, KEPT].concat());
    if let Some(ready) = PodView(pod).condition("Ready") {
        kept["status"]["conditions"] = json!([ready]);
    }
    let restarts = restarts(pod);
    if restarts > 0 {
        kept["status"]["containerStatuses"] = json!([{"restartCount": restarts}]);
    }
    kept
}

/// How often its containers were started again.
pub(crate) fn restarts(pod: &Value) -> i64 {
    list(pod, &["status", "containerStatuses"]).iter().filter_map(|one| one["restartCount"].as_i64()).sum()
}

/// Names that no pod has yet, `PREFIX-HASH` by `seed` and a number, not by chance: a second look before the watch has shown
/// the first one's pods makes the same ones again, which the server refuses.
pub(crate) fn free_names<'a>(
    index: &'a Index,
    namespace: &'a str,
    prefix: String,
    seed: String,
) -> impl Iterator<Item = String> + use<'a> {
    (0_u64..)
        .map(move |slot| format!("{prefix}-{}", hash::short(&format!("{seed}/{slot}"), 5)))
        .filter(move |name| index.find(&resources::pods(), namespace, name).is_none())
}

/// A pod of a template, still without a name.
pub(crate) fn from_template(template: &Value, namespace: &str, owner: Value) -> Value {
    let mut metadata = json!({"namespace": namespace, "ownerReferences": [owner]});
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = at(template, &["metadata", field]) {
            metadata[field] = value.clone();
        }
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

/// Runs and is ready.
pub(crate) fn is_serving(pod: &Value) -> bool {
    PodView(pod).phase() == "Running" && PodView(pod).is_ready()
}

/// Neither ended nor on its way out.
pub(crate) fn is_active(pod: &Value) -> bool {
    !PodView(pod).is_finished() && !Meta(pod).is_deleting()
}

/// Whether a pod has been ready for long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Available {
    No,
    /// It will be then, if nothing happens.
    Later(Timestamp),
    Yes,
}

/// See [`Available`].
pub(crate) fn available(pod: &Value, min_ready_seconds: i64, now: Timestamp) -> Available {
    let Some(ready) = PodView(pod).condition("Ready").filter(|_| PodView(pod).is_ready()) else { return Available::No };
    let Ok(wait) = u64::try_from(min_ready_seconds) else { return Available::Yes };
    if wait == 0 {
        return Available::Yes;
    }
    let Ok(since) = Timestamp::parse(text(ready, &["lastTransitionTime"])) else { return Available::No };
    let then = since.plus(Duration::from_secs(wait));
    if then <= now { Available::Yes } else { Available::Later(then) }
}
