//! The four ways to change an object in part.

pub mod apply;
mod strategic;

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

/// Most operations a JSON patch may have (as upstream).
const MOST_OPERATIONS: usize = 10_000;

/// JSON patch (RFC 6902): `operations` is the array. All or nothing.
pub fn json(target: &Value, operations: &Value) -> Result<Value, PatchError> {
    let patch: json_patch::Patch = serde_json::from_value(operations.clone())
        .map_err(|e| PatchError::Malformed(format!("error decoding patch: {e}")))?;
    if patch.0.len() > MOST_OPERATIONS {
        let count = patch.0.len();
        return Err(PatchError::Malformed(format!(
            "The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {count}"
        )));
    }
    let mut result = target.clone();
    json_patch::patch(&mut result, &patch).map_err(|e| PatchError::Unfit(e.to_string()))?;
    Ok(result)
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
