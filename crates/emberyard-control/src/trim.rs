//! Copies of objects with only what is worth memory.

use emberyard_object::view::at;
use serde_json::{Map, Value};

/// A copy without the field owners, which no controller reads.
pub(crate) fn without_managed_fields(object: &Value) -> Value {
    let copy = |map: &Map<String, Value>, leave: &str| -> Map<String, Value> {
        map.iter().filter(|(key, _)| *key != leave).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let Some(fields) = object.as_object() else { return object.clone() };
    let mut kept = copy(fields, "metadata");
    if let Some(metadata) = fields.get("metadata").and_then(Value::as_object) {
        kept.insert("metadata".to_owned(), Value::Object(copy(metadata, "managedFields")));
    }
    Value::Object(kept)
}

/// A copy of the fields at these paths, and of nothing else. What is not there stays away.
pub(crate) fn only(object: &Value, paths: &[&[&str]]) -> Value {
    let mut kept = Value::Object(Map::new());
    for path in paths {
        if let Some(value) = at(object, path) {
            put(&mut kept, path, value.clone());
        }
    }
    kept
}

fn put(into: &mut Value, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *into = value;
        return;
    };
    if let Some(map) = into.as_object_mut() {
        put(map.entry((*first).to_owned()).or_insert_with(|| Value::Object(Map::new())), rest, value);
    }
}

/// Identity, versions, owners, finalizers and deletion: what says whether an object is to live.
pub(crate) const LIFE: &[&[&str]] = &[
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "uid"],
    &["metadata", "resourceVersion"],
    &["metadata", "ownerReferences"],
    &["metadata", "finalizers"],
    &["metadata", "deletionTimestamp"],
    &["metadata", "creationTimestamp"],
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keeps_what_is_named() {
        let object = json!({"kind": "Pod", "metadata": {"name": "a", "managedFields": [1]}, "spec": {"x": 1, "y": 2}});
        assert_eq!(
            without_managed_fields(&object),
            json!({"kind": "Pod", "metadata": {"name": "a"}, "spec": {"x": 1, "y": 2}})
        );
        let kept = only(&object, &[&["metadata", "name"], &["spec", "y"], &["spec", "z"]]);
        assert_eq!(kept, json!({"metadata": {"name": "a"}, "spec": {"y": 2}}));
    }
}
