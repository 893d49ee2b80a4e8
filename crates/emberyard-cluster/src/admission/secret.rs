//! Secrets: texts a client gives in plain.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Moves `stringData` into `data`, encoded.
pub(super) fn merge_string_data(object: &mut Value) {
    let Some(Value::Object(plain)) = object.as_object_mut().and_then(|fields| fields.remove("stringData")) else {
        return;
    };
    if plain.is_empty() {
        return;
    }
    if !object["data"].is_object() {
        object["data"] = json!({});
    }
    for (key, value) in plain {
        object["data"][key] = json!(STANDARD.encode(value.as_str().unwrap_or("")));
    }
}
