//! The four ways to change an object in part.

pub mod apply;

use crate::Kind;
use serde_json::Value;

/// Why a patch can't be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The patch itself is malformed: 400.
    #[error("{0}")]
    Malformed(String),
    /// The patch does not fit the object (a JSON patch's path or test): 422.
    #[error("{0}")]
    Unfit(String),
}

/// JSON patch (RFC 6902): `operations` is the array.
pub fn json(_target: &Value, _operations: &Value) -> Result<Value, PatchError> {
    todo!()
}

/// Merge patch (RFC 7386).
#[must_use]
pub fn merge(_target: &Value, _patch: &Value) -> Value {
    todo!()
}

/// Strategic merge patch, by the published merge keys of `kind`. Custom resources have none: 415 is the caller's answer.
pub fn strategic(_kind: &Kind, _target: &Value, _patch: &Value) -> Result<Value, PatchError> {
    todo!()
}
