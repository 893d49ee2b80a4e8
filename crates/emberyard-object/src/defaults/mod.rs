//! What the server fills in where a client said nothing.
//!
//! Rule sources: the `default` values of the published OpenAPI; beyond them upstream's Go code
//! (`k8s.io/kubernetes/pkg/apis/*/v1/defaults.go` and the strategies' `PrepareForCreate`), as tables here. Values that
//! need a look at other objects (cluster IPs, priorities, service accounts) are admission and not here. Idempotent:
//! call it again after admission has added something.

mod object;
mod pod;
mod table;

use crate::Kind;
use crate::schema::{Object, Schema, Shape};
use serde_json::{Map, Value, json};

type Members = Map<String, Value>;

/// Fills in defaults: for built-in kinds what upstream does, for custom resources what their schema says.
pub fn apply(kind: &Kind, object: &mut Value) {
    fill(object, &kind.schema);
}

fn fill(value: &mut Value, schema: &Schema) {
    let resolved = schema.resolve();
    match (&resolved.shape, value) {
        (Shape::Object(object), Value::Object(members)) => {
            let name = schema.definition_name();
            if !name.is_empty() {
                let name = name.strip_prefix("io.k8s.api.").unwrap_or_else(|| name.rsplit('.').next().unwrap_or(""));
                table::fill(name, members);
                pod::fill(name, members);
                object::fill(name, members);
            }
            published(members, object, name.is_empty());
            for (key, inner) in members.iter_mut() {
                if let Some(property) = object.properties.get(key) {
                    fill(inner, property);
                }
            }
        }
        (Shape::Map { values, .. }, Value::Object(members)) => {
            members.values_mut().for_each(|inner| fill(inner, values));
        }
        (Shape::List { items, .. }, Value::Array(list)) => list.iter_mut().for_each(|inner| fill(inner, items)),
        _ => {}
    }
}

/// Inserts the published defaults. Go has no absent structs and writes required scalars even when zero, which shows as
/// defaults `{}`, `""` and 0; on optional scalars those are not written.
fn published(members: &mut Members, object: &Object, custom: bool) {
    for (name, property) in &object.properties {
        if members.contains_key(name) {
            continue;
        }
        let shape = &property.resolve().shape;
        let required = object.required.contains(name);
        match &property.default {
            Some(default) if custom => {
                members.insert(name.clone(), default.clone());
            }
            Some(Value::Object(map)) if map.is_empty() => {
                if matches!(shape, Shape::Object(_)) {
                    members.insert(name.clone(), json!({}));
                }
            }
            Some(default)
                if required || !matches!(default, Value::String(text) if text.is_empty()) && default != &json!(0) =>
            {
                members.insert(name.clone(), default.clone());
            }
            None if required && !custom => {
                let zero = match shape {
                    Shape::String(crate::schema::StringFormat::Plain) => json!(""),
                    Shape::Integer { .. } => json!(0),
                    Shape::Boolean => json!(false),
                    Shape::List { .. } => json!([]),
                    _ => continue,
                };
                members.insert(name.clone(), zero);
            }
            _ => {}
        }
    }
}

/// Inserts `value` unless the key is there.
fn put(members: &mut Members, key: &str, value: Value) {
    members.entry(key).or_insert(value);
}

/// The text at a key, "" if none.
fn word<'a>(members: &'a Members, key: &str) -> &'a str {
    members.get(key).and_then(Value::as_str).unwrap_or("")
}

#[cfg(test)]
mod tests;
