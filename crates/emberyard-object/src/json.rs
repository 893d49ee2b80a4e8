//! Reading bodies: JSON that reports fields given twice, and YAML.

use serde_json::Value;

/// A body and what was odd about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The value; of a field given twice the last one counts.
    pub value: Value,
    /// Paths of fields given twice.
    pub duplicates: Vec<String>,
}

/// A body that is no JSON (or YAML).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(pub String);

/// Reads JSON.
pub fn parse(_bytes: &[u8]) -> Result<Parsed, JsonError> {
    todo!()
}

/// Reads YAML (a single document), of which JSON is a part.
pub fn parse_yaml(_bytes: &[u8]) -> Result<Parsed, JsonError> {
    todo!()
}
