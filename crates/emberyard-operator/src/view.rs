//! Narrow views of objects: the few fields that the loops read.

use emberyard_model::{Condition, Timestamp};
use serde_json::Value;
use std::fmt;

/// Namespace (empty for cluster-wide objects) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Key {
    /// From its parts.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// An object's.
    pub fn of(object: &Value) -> Self {
        let meta = &object["metadata"];
        let text = |field: &str| meta[field].as_str().unwrap_or_default().to_owned();
        Self { namespace: text("namespace"), name: text("name") }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() { f.write_str(&self.name) } else { write!(f, "{}/{}", self.namespace, self.name) }
    }
}

/// A label's value.
pub fn label<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object["metadata"]["labels"][name].as_str()
}

/// An annotation's value.
pub fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object["metadata"]["annotations"][name].as_str()
}

/// A pod's phase; empty when it has none yet.
pub fn phase(pod: &Value) -> &str {
    pod["status"]["phase"].as_str().unwrap_or_default()
}

/// Whether a pod is over.
pub fn is_over(pod: &Value) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether an object is on its way out.
pub fn is_leaving(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// A condition of a status.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// A condition that we write, `said` as status, reason and message, with the time of its last change.
pub fn settle(before: &[Condition], kind: &str, said: (&str, &str, String), now: Timestamp) -> Condition {
    let (status, reason, message) = said;
    let before = before.iter().find(|found| found.kind == kind && found.status == status);
    Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message,
        last_transition_time: before.map_or_else(|| now.rfc3339(), |found| found.last_transition_time.clone()),
    }
}

/// Whether a pod or node is ready.
pub fn is_ready(object: &Value) -> bool {
    condition(object, "Ready").is_some_and(|condition| condition["status"] == "True")
}

/// Whether a pod is ready and stays.
pub fn serves(pod: &Value) -> bool {
    is_ready(pod) && !is_leaving(pod)
}

/// The name of the pod that owns an object.
pub fn owner_pod(object: &Value) -> Option<&str> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find(|owner| owner["kind"] == "Pod").and_then(|owner| owner["name"].as_str())
}

/// When a finished pod's last container ended.
pub fn ended(pod: &Value) -> Option<Timestamp> {
    let statuses = pod["status"]["containerStatuses"].as_array()?;
    let ends = statuses.iter().filter_map(|status| status["state"]["terminated"]["finishedAt"].as_str());
    ends.filter_map(|time| Timestamp::parse(time).ok()).max()
}
