//! Label and field selectors.

use serde_json::Value;

/// A selector that can't be read: 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse requirement: {0}")]
pub struct SelectorError(pub String);

/// A label selector: all requirements must hold. Empty = everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector {}

impl LabelSelector {
    /// Reads the query form: `a=b,c!=d,e in (f,g),h,!i`.
    pub fn parse(_text: &str) -> Result<Self, SelectorError> {
        todo!()
    }

    /// Reads `{matchLabels, matchExpressions}`; `null` selects nothing (`None`), `{}` everything.
    pub fn from_json(_selector: &Value) -> Result<Option<Self>, SelectorError> {
        todo!()
    }

    /// Reads a plain map as Services have it; every pair must be there.
    pub fn from_map(_map: &Value) -> Self {
        todo!()
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        todo!()
    }

    /// Whether the object's `metadata.labels` satisfy it.
    pub fn matches(&self, _object: &Value) -> bool {
        todo!()
    }

    /// Whether a bare label map (an object, or null) satisfies it.
    pub fn matches_labels(&self, _labels: &Value) -> bool {
        todo!()
    }
}

/// A field selector: all terms must hold. Empty = everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSelector {}

impl FieldSelector {
    /// Reads `a.b=c,d.e!=f`.
    pub fn parse(_text: &str) -> Result<Self, SelectorError> {
        todo!()
    }

    /// The first field that `kind` can't be selected by.
    pub fn unsupported(&self, _kind: &crate::Kind) -> Option<&str> {
        todo!()
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        todo!()
    }

    /// Whether the object satisfies it; an absent field counts as "".
    pub fn matches(&self, _object: &Value) -> bool {
        todo!()
    }

    /// The value an `=` term asks of `field`, so that a name or namespace can be looked up directly.
    pub fn exact(&self, _field: &str) -> Option<&str> {
        todo!()
    }
}
