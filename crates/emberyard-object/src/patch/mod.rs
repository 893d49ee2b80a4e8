//! The four ways to change an object in part.

pub mod apply;
mod json;
mod strategic;

pub use json::json;
pub use strategic::strategic;

use serde_json::{Map, Value};

/// Why a patch can't be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The patch itself is malformed: 400.
    #[error("{0}")]
    Malformed(String),
    /// The patch does not fit the object (a JSON patch's path or test): 422.
    #[error("the server rejected our request due to an error in our request: {0}")]
    Unfit(String),
}

/// Merge patch (RFC 7386): null deletes, objects merge, all else replaces.
#[must_use]
pub fn merge(target: &Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    let mut result: Map<String, Value> = target.as_object().cloned().unwrap_or_default();
    for (key, change) in changes {
        if change.is_null() {
            result.remove(key);
        } else {
            let before = result.get(key).unwrap_or(&Value::Null);
            let after = merge(before, change);
            result.insert(key.clone(), after);
        }
    }
    Value::Object(result)
}

#[cfg(test)]
mod tests;
