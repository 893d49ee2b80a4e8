//! The table form (`as=Table`) that kubectl prints.

use crate::Kind;
use emberyard_model::Timestamp;
use serde_json::Value;

/// What each row carries beside its cells (query parameter `includeObject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IncludeObject {
    /// The object's metadata.
    #[default]
    Metadata,
    /// Nothing.
    None,
    /// The object.
    Object,
}

impl IncludeObject {
    /// From the query parameter.
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            Some("None") => Self::None,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// A `meta.k8s.io/v1` `Table` of `rows`, without list metadata. `with_columns` is false for all but the first event of a watch.
pub fn render(_kind: &Kind, _rows: &[&Value], _include: IncludeObject, _with_columns: bool, _now: Timestamp) -> Value {
    todo!()
}

/// A span of time as kubectl writes ages: `5s`, `3m12s`, `2d`.
pub fn human_duration(_span: std::time::Duration) -> String {
    todo!()
}
