//! Zero values: what Go leaves out when it writes JSON.

use serde_json::Value;

/// Whether the value is its type's zero (`""`, 0, false, `[]`, `{}`, null).
pub fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}
