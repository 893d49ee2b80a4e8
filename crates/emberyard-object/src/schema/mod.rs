//! Structure of objects: reading them as the server would, and checking them.

use crate::Kind;
use serde_json::Value;

/// Structure of a value. (Made from published OpenAPI, or from a custom resource definition.)
#[derive(Debug, Clone)]
pub struct Schema {}

/// What to do with fields nobody knows and fields given twice (query parameter `fieldValidation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldValidation {
    /// Refuse.
    Strict,
    /// Drop them and warn.
    #[default]
    Warn,
    /// Drop them silently.
    Ignore,
}

impl FieldValidation {
    /// From the query parameter; absent or empty is `Warn`. `None` for other words.
    pub fn parse(text: Option<&str>) -> Option<Self> {
        match text.unwrap_or("") {
            "" | "Warn" => Some(Self::Warn),
            "Strict" => Some(Self::Strict),
            "Ignore" => Some(Self::Ignore),
            _ => None,
        }
    }
}

/// Why a field is refused: one entry of `Status.details.causes`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// `FieldValueRequired`, `FieldValueInvalid`, `FieldValueNotSupported`, `FieldValueTypeInvalid`, …
    pub reason: &'static str,
    /// Where: `spec.containers[0].name`.
    pub field: String,
    /// What is wrong, without the field.
    pub message: String,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// A body as the server understands it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The object: unknown fields and nulls are gone.
    pub value: Value,
    /// To be sent as `Warning` headers.
    pub warnings: Vec<String>,
}

/// A body that can't be read as its kind: 400 `BadRequest` with this text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} in version \"{version}\" cannot be handled as a {kind}: {message}")]
pub struct DecodeError {
    /// Kind that was due.
    pub kind: String,
    /// Its version.
    pub version: String,
    /// What is wrong.
    pub message: String,
}

/// Reads `value` as an object of `kind`: types are checked, unknown fields pruned and reported as `mode` says.
/// `duplicates` are the paths [`crate::json::parse`] found.
pub fn decode(
    _kind: &Kind,
    _value: Value,
    _duplicates: &[String],
    _mode: FieldValidation,
) -> Result<Decoded, DecodeError> {
    todo!()
}

/// Checks an object after defaulting: required fields, allowed values, and for custom resources everything their
/// schema says. Empty = fine; otherwise 422 `Invalid`.
pub fn validate(_kind: &Kind, _object: &Value) -> Vec<Cause> {
    todo!()
}
