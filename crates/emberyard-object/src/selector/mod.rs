//! Label and field selectors.

mod field;
mod label;
mod query;

pub use field::FieldSelector;
pub use label::LabelSelector;
pub use query::query;

/// A selector that can't be read: 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(pub String);
