//! Messages as JSON, by descriptors and field facts.

use super::special;
use crate::schema::is_zero;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DynamicMessage, MapKey, ReflectMessage, Value as Wire};
use serde_json::{Map, Number, Value, json};

/// The JSON members of a message. Go writes zeros of fields that are no pointers; in JSON they are absent where Go
/// leaves them out.
pub fn members(message: &DynamicMessage, facts: &Value) -> Map<String, Value> {
    let descriptor = message.descriptor();
    let facts_here = &facts["messages"][descriptor.full_name()];
    let mut members = Map::new();
    for (field, wire) in message.fields() {
        let fact = &facts_here[field.name()];
        let omit_zero = fact["omitZero"].as_bool().unwrap_or(false);
        let Some(value) = value(wire, facts) else { continue };
        if fact["inline"].as_bool().unwrap_or(false) {
            if let Value::Object(inner) = value {
                members.extend(inner);
            }
            continue;
        }
        let is_message = matches!(wire, Wire::Message(_));
        if omit_zero && !is_message && is_zero(&value) {
            continue;
        }
        let name = fact["name"].as_str().unwrap_or(field.name());
        members.insert(name.to_owned(), value);
    }
    members
}

/// `None` = as if absent.
fn value(wire: &Wire, facts: &Value) -> Option<Value> {
    Some(match wire {
        Wire::Bool(flag) => json!(flag),
        Wire::I32(number) | Wire::EnumNumber(number) => json!(number),
        Wire::I64(number) => json!(number),
        Wire::U32(number) => json!(number),
        Wire::U64(number) => json!(number),
        Wire::F32(number) => Number::from_f64(f64::from(*number)).map_or(Value::Null, Value::Number),
        Wire::F64(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Wire::String(text) => json!(text),
        Wire::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Wire::Message(inner) => return message(inner, facts),
        Wire::List(list) => list.iter().filter_map(|item| value(item, facts)).collect(),
        Wire::Map(map) => {
            let mut members = Map::new();
            for (key, inner) in map {
                members.insert(key_text(key), value(inner, facts).unwrap_or(Value::Null));
            }
            Value::Object(members)
        }
    })
}

fn message(inner: &DynamicMessage, facts: &Value) -> Option<Value> {
    let name = inner.descriptor();
    let name = name.full_name();
    match special::read(name, inner) {
        special::Read::Plain => {}
        special::Read::Absent => return None,
        special::Read::Value(value) => return Some(value),
    }
    let mut members = members(inner, facts);
    // A named slice is a message with `items` on the wire.
    if facts["slices"].as_array().is_some_and(|slices| slices.iter().any(|slice| slice == name)) {
        return Some(members.remove("items").unwrap_or_else(|| json!([])));
    }
    Some(special::either(name, members))
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::String(text) => text.clone(),
        MapKey::Bool(flag) => flag.to_string(),
        MapKey::I32(number) => number.to_string(),
        MapKey::I64(number) => number.to_string(),
        MapKey::U32(number) => number.to_string(),
        MapKey::U64(number) => number.to_string(),
    }
}
