//! Cells of kinds that stand for many pods.
//!
//! Rule source: `printDeployment`, `printReplicaSet`, `printStatefulSet`, `printJob`, `printControllerRevision` and
//! `printPodDisruptionBudget` of upstream's printers.

use super::cell::{or_none, text_or};
use super::human_duration;
use crate::view::{Meta, at, list, text};
use crate::{condition, selector};
use emberyard_model::Timestamp;
use serde_json::{Value, json};

/// The number at a path, 0 if none.
fn number(object: &Value, path: &[&str]) -> i64 {
    at(object, path).and_then(Value::as_i64).unwrap_or(0)
}

/// The same as a cell.
pub fn count(object: &Value, path: &[&str]) -> Value {
    json!(number(object, path))
}

/// Ready of wanted replicas.
pub fn ready(object: &Value) -> String {
    format!("{}/{}", number(object, &["status", "readyReplicas"]), number(object, &["spec", "replicas"]))
}

/// Names of the template's containers.
pub fn containers(object: &Value) -> String {
    of_containers(object, "name")
}

/// Images of the template's containers.
pub fn images(object: &Value) -> String {
    of_containers(object, "image")
}

fn of_containers(object: &Value, field: &str) -> String {
    let containers = list(object, &["spec", "template", "spec", "containers"]);
    containers.iter().map(|container| text(container, &[field])).collect::<Vec<_>>().join(",")
}

/// The label selector as text.
pub fn selector(object: &Value) -> String {
    or_none(&at(object, &["spec", "selector"]).map(selector::query).unwrap_or_default())
}

/// `statefulset.apps/NAME` of whoever manages the object.
pub fn controller(object: &Value) -> String {
    let Some(owner) = Meta(object).controller() else { return "<none>".to_owned() };
    let kind = owner.kind.to_lowercase();
    match owner.api_version.split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/{}", owner.name),
        None => format!("{kind}/{}", owner.name),
    }
}

/// What a disruption budget says of one of its two limits.
pub fn limit(budget: &Value, field: &str) -> String {
    match at(budget, &["spec", field]) {
        Some(Value::Number(number)) => number.to_string(),
        other => text_or(other, "N/A"),
    }
}

/// Where a job stands.
pub fn job_status(job: &Value) -> String {
    let holds = |type_: &&str| condition::held(&job["status"], type_).is_some();
    let ended = ["Complete", "Failed"].into_iter().find(holds);
    let going = Meta(job).is_deleting().then_some("Terminating");
    let under_way = || ["Suspended", "FailureTarget", "SuccessCriteriaMet"].into_iter().find(holds);
    ended.or(going).or_else(under_way).unwrap_or("Running").to_owned()
}

/// Pods that succeeded, of how many.
pub fn completions(job: &Value) -> String {
    let succeeded = number(job, &["status", "succeeded"]);
    match (at(job, &["spec", "completions"]).and_then(Value::as_i64), number(job, &["spec", "parallelism"])) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

/// How long the job ran or runs.
pub fn job_duration(job: &Value, now: Timestamp) -> String {
    let time = |path: &[&str]| Timestamp::parse(text(job, path)).ok();
    let failed = || {
        let failed = condition::held(&job["status"], "Failed")?;
        Timestamp::parse(text(failed, &["lastTransitionTime"])).ok()
    };
    let Some(start) = time(&["status", "startTime"]) else { return String::new() };
    let end = time(&["status", "completionTime"]).or_else(failed).unwrap_or(now);
    human_duration(end.since(start))
}
