//! What holds for objects of every kind: labels and annotations, and how large data may be.

use emberyard_object::schema::Cause;
use emberyard_object::view::at;
use serde_json::{Value, json};

/// Bytes of all annotations of one object together (upstream's `TotalAnnotationSizeLimitB`).
const ANNOTATIONS: usize = 256 << 10;
/// Bytes of a config map's or secret's data (upstream's `MaxSecretSize`).
const DATA: usize = 1 << 20;

/// What is wrong with an object of any kind.
pub(super) fn causes(resource: &str, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let pairs = |field: &str| at(object, &["metadata", field]).and_then(Value::as_object).into_iter().flatten();
    for (key, value) in pairs("labels") {
        if !is_key(key) {
            causes.push(invalid("metadata.labels", key, KEY));
        }
        if let Some(text) = value.as_str().filter(|text| !text.is_empty() && !is_word(text)) {
            causes.push(invalid("metadata.labels", text, WORD));
        }
    }
    // Annotation keys may be written in upper case.
    let keys = pairs("annotations").map(|(key, _)| key).filter(|key| !is_key(&key.to_ascii_lowercase()));
    causes.extend(keys.map(|key| invalid("metadata.annotations", key, KEY)));
    if pairs("annotations").map(|(key, value)| key.len() + length(value)).sum::<usize>() > ANNOTATIONS {
        causes.push(too_long("metadata.annotations", ANNOTATIONS));
    }
    if matches!(resource, "configmaps" | "secrets") {
        let maps = ["data", "binaryData"].into_iter().filter_map(|field| object.get(field)?.as_object());
        if maps.flatten().map(|(_, value)| length(value)).sum::<usize>() > DATA {
            causes.push(too_long("data", DATA));
        }
    }
    causes
}

const WORD: &str = "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, at most 63";
const KEY: &str = "a name of letters, digits, '-', '_' and '.' (at most 63), after an optional DNS name and '/'";

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, str::len)
}

fn invalid(field: &str, value: &str, rule: &str) -> Cause {
    let message = format!("Invalid value: {}: must consist of {rule}", json!(value));
    Cause { reason: "FieldValueInvalid", field: field.to_owned(), message }
}

fn too_long(field: &str, limit: usize) -> Cause {
    let message = format!("Too long: may not be more than {limit} bytes");
    Cause { reason: "FieldValueTooLong", field: field.to_owned(), message }
}

/// A label's value, or the last part of a key.
fn is_word(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        None => is_word(key),
        Some((prefix, name)) => emberyard_model::ObjectName::new(prefix).is_ok() && is_word(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_words() {
        let table = [
            (json!({"labels": {"a": "b", "a.b/c_D": "", "x": "1.2-3_4"}}), 0),
            (json!({"labels": {"a": "b c"}}), 1),
            (json!({"labels": {"a/b/c": "-"}}), 2),
            (json!({"labels": {"A.b/c": "d"}}), 1),
            (json!({"annotations": {"A.b/c": "any text at all"}}), 0),
            (json!({"annotations": {"a": "x".repeat(ANNOTATIONS)}}), 1),
        ];
        for (metadata, wanted) in table {
            let found = causes("pods", &json!({"metadata": metadata}));
            assert_eq!(found.len(), wanted, "{found:?}");
        }
        let large = json!({"metadata": {}, "data": {"a": "x".repeat(DATA + 1)}});
        assert_eq!((causes("configmaps", &large).len(), causes("leases", &large).len()), (1, 0));
    }
}
