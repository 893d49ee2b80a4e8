//! What may stand in a cell.

use super::human_duration;
use crate::view::{at, text};
use emberyard_model::Timestamp;
use serde_json::{Value, json};

/// How a cell comes out of an object.
pub enum Cell {
    /// `metadata.name`.
    Name,
    /// Time since `metadata.creationTimestamp`.
    Age,
    /// The text, number or truth value at a path, "" if none.
    Path(&'static [&'static str]),
    /// The same, `<none>` if none.
    PathOrNone(&'static [&'static str]),
    /// How many members or items the values at these fields of the object have together.
    Count(&'static [&'static str]),
    /// A rule of its own.
    Rule(fn(&Value) -> String),
    /// A rule of its own that needs the time.
    Timed(fn(&Value, Timestamp) -> String),
    /// A rule that gives a number or truth value.
    Typed(fn(&Value) -> Value),
}

impl Cell {
    /// The cell of `object`.
    pub fn of(&self, object: &Value, now: Timestamp) -> Value {
        match self {
            Self::Name => json!(text(object, &["metadata", "name"])),
            Self::Age => json!(age(text(object, &["metadata", "creationTimestamp"]), now)),
            Self::Path(path) => at(object, path).cloned().unwrap_or_else(|| json!("")),
            Self::PathOrNone(path) => json!(or_none(text(object, path))),
            Self::Count(fields) => json!(fields.iter().map(|field| count(&object[*field])).sum::<usize>()),
            Self::Rule(rule) => json!(rule(object)),
            Self::Timed(rule) => json!(rule(object, now)),
            Self::Typed(rule) => rule(object),
        }
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.len(),
        Value::Array(list) => list.len(),
        _ => 0,
    }
}

/// Time since `time`, `<unknown>` if it is none.
pub fn age(time: &str, now: Timestamp) -> String {
    Timestamp::parse(time).map_or_else(|_| "<unknown>".to_owned(), |time| human_duration(now.since(time)))
}

/// The text, or `<none>`.
pub fn or_none(text: &str) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text.to_owned() }
}

/// The text, or something else where there is none.
pub fn text_or(value: Option<&Value>, otherwise: &str) -> String {
    value.and_then(Value::as_str).filter(|text| !text.is_empty()).unwrap_or(otherwise).to_owned()
}

/// The texts with commas between, or `<none>`.
pub fn joined(texts: impl IntoIterator<Item = String>) -> String {
    or_none(&texts.into_iter().collect::<Vec<_>>().join(","))
}

/// A label map as `a=b,c=d`, or `<none>`.
pub fn pairs(map: &Value) -> String {
    let pairs = map.as_object().into_iter().flatten();
    joined(pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or(""))))
}
