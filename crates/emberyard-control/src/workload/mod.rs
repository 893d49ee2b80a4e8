//! What controllers of many pods have in common.

pub(crate) mod amount;
pub(crate) mod hash;
pub(crate) mod members;
pub(crate) mod pods;

use crate::index::Id;
use emberyard_object::view::at;
use emberyard_object::{ApiRequest, Gvr};
use serde_json::Value;

/// Namespace and name.
pub(crate) type Key = (String, String);

/// The whole number at a path.
pub(crate) fn number(object: &Value, path: &[&str]) -> Option<i64> {
    at(object, path).and_then(Value::as_i64)
}

/// Writes the status that is due, where the object says another.
pub(crate) fn restated(resource: &Gvr, object: &Value, status: Value) -> Option<ApiRequest> {
    if object["status"] == status {
        return None;
    }
    let mut wanted = object.clone();
    wanted["status"] = status;
    Some(ApiRequest::update_status(resource, Id::of(resource, object).at(), wanted))
}

/// Sets fields of a status; zero, null and empty ones that Kubernetes leaves out are taken away.
pub(crate) fn set(status: &mut Value, fields: &[(&str, Value)]) {
    if !status.is_object() {
        *status = Value::Object(serde_json::Map::new());
    }
    let Some(map) = status.as_object_mut() else { return };
    for (field, value) in fields {
        if value.is_null() || *value == 0 || value.as_str() == Some("") {
            map.remove(*field);
        } else {
            map.insert((*field).to_owned(), value.clone());
        }
    }
}
