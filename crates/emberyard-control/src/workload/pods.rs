//! Pods made from templates, and whether they do their work.

use crate::trim;
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, PodView, at, list, text};
use serde_json::{Value, json};
use std::time::Duration;

/// What of a pod its controllers look at.
pub(crate) fn keep(pod: &Value) -> Value {
    let mut kept = trim::only(pod, trim::LIFE);
    for path in [
        &["metadata", "labels"][..],
        &["metadata", "annotations"],
        &["spec", "nodeName"],
        &["status", "phase"],
        &["status", "reason"],
    ] {
        if let Some(value) = at(pod, path) {
            kept[path[0]][path[1]] = value.clone();
        }
    }
    if let Some(ready) = PodView(pod).condition("Ready") {
        kept["status"]["conditions"] = json!([ready]);
    }
    let restarts: i64 =
        list(pod, &["status", "containerStatuses"]).iter().filter_map(|one| one["restartCount"].as_i64()).sum();
    if restarts > 0 {
        kept["status"]["containerStatuses"] = json!([{"restartCount": restarts}]);
    }
    kept
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
