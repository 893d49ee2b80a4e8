//! Stored objects as the kind a client speaks, and back.
//!
//! Objects are stored in one version. Only two things are served under several: events (two groups, two sets of field
//! names) and custom resources (versions that differ in `apiVersion` alone, conversion strategy None).

use emberyard_object::{Kind, event};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A stored object as `kind`.
pub(crate) fn as_kind<'a>(kind: &Kind, stored: &'a Value) -> Cow<'a, Value> {
    if is_stored_form(kind, stored) {
        return Cow::Borrowed(stored);
    }
    if kind.custom {
        Cow::Owned(with_version(stored.clone(), kind))
    } else {
        Cow::Owned(event::from_core(stored.clone()))
    }
}

/// Whether `stored` needs no change to be shown as `kind`.
pub(crate) fn is_stored_form(kind: &Kind, stored: &Value) -> bool {
    if kind.custom { stored["apiVersion"] == kind.gvk.api_version().as_str() } else { kind.gvr == kind.stored_as }
}

/// An object of `kind` as it is stored.
pub(crate) fn as_stored(kind: &Kind, object: Value) -> Value {
    if kind.gvr == kind.stored_as {
        object
    } else if kind.custom {
        let mut object = object;
        object["apiVersion"] = json!(kind.stored_as.api_version());
        object
    } else {
        event::to_core(object)
    }
}

fn with_version(mut object: Value, kind: &Kind) -> Value {
    object["apiVersion"] = json!(kind.gvk.api_version());
    object
}

/// An object's metadata alone.
pub(crate) fn partial(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}
