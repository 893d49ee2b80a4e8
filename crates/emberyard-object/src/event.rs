//! The two kinds of events are one stored object: `v1` and `events.k8s.io/v1` name its fields differently.
//!
//! Rule source: `k8s.io/kubernetes/pkg/apis/events/v1` (conversion to the internal event).

use serde_json::{Map, Value, json};

/// Names of a field in `v1` and in `events.k8s.io/v1`.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// An `events.k8s.io/v1` event as `v1` event.
#[must_use]
pub fn to_core(event: Value) -> Value {
    renamed(event, "v1", |name| NAMES.iter().find(|(_, new)| *new == name).map(|(core, _)| *core))
}

/// A `v1` event as `events.k8s.io/v1` event.
#[must_use]
pub fn from_core(event: Value) -> Value {
    renamed(event, "events.k8s.io/v1", |name| NAMES.iter().find(|(core, _)| *core == name).map(|(_, new)| *new))
}

fn renamed(event: Value, api_version: &str, other: impl Fn(&str) -> Option<&'static str>) -> Value {
    let Value::Object(fields) = event else { return event };
    let mut result: Map<String, Value> =
        fields.into_iter().map(|(name, value)| (other(&name).map_or(name, str::to_owned), value)).collect();
    result.insert("apiVersion".to_owned(), json!(api_version));
    Value::Object(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_there_and_back() {
        let core = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "a"}, "message": "m", "reason": "r",
            "involvedObject": {"kind": "Pod"}, "count": 2, "reportingComponent": "c"});
        let new = from_core(core.clone());
        assert_eq!(
            new,
            json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "a"}, "note": "m",
                "reason": "r", "regarding": {"kind": "Pod"}, "deprecatedCount": 2, "reportingController": "c"})
        );
        assert_eq!(to_core(new), core);
    }
}
