//! Server-side apply: who owns which field.

use crate::Kind;
use crate::schema::Cause;
use emberyard_model::Timestamp;
use serde_json::Value;

/// Who writes, and how.
#[derive(Debug, Clone, Copy)]
pub struct Manager<'a> {
    /// `fieldManager`, or the first word of the user agent for plain writes.
    pub name: &'a str,
    /// "" for the object itself, else `status`, `scale`, …
    pub subresource: &'a str,
    /// `apiVersion` the writer speaks.
    pub api_version: &'a str,
}

/// Why an apply is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Others own fields that would change: 409 with these causes (reason `FieldManagerConflict`).
    #[error("{message}")]
    Conflict {
        /// The text of the answer.
        message: String,
        /// One for each field.
        causes: Vec<Cause>,
    },
    /// The configuration is malformed: 400.
    #[error("{0}")]
    Malformed(String),
}

/// Applies `config` on `live` (`None` = create). The answer carries the new `metadata.managedFields`.
pub fn apply(
    _kind: &Kind,
    _live: Option<&Value>,
    _config: &Value,
    _manager: Manager<'_>,
    _force: bool,
    _now: Timestamp,
) -> Result<Value, ApplyError> {
    todo!()
}

/// Records in `new` (`metadata.managedFields`) that a plain write by `manager` changed it from `old` (`None` = create).
pub fn track(_kind: &Kind, _old: Option<&Value>, _new: &mut Value, _manager: Manager<'_>, _now: Timestamp) {
    todo!()
}
