//! The two kinds of events are one stored object: `v1` and `events.k8s.io/v1` name its fields differently.

use serde_json::Value;

/// An `events.k8s.io/v1` event as `v1` event.
#[must_use]
pub fn to_core(_event: Value) -> Value {
    todo!()
}

/// A `v1` event as `events.k8s.io/v1` event.
#[must_use]
pub fn from_core(_event: Value) -> Value {
    todo!()
}
