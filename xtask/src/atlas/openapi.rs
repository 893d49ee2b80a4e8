//! OpenAPI v3 documents, cut down to what is served.

use super::{items, members, served, text};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const REFERENCE: &str = "#/components/schemas/";

/// The definitions of all documents together.
pub fn definitions(openapi: &Value) -> Value {
    let mut all = Map::new();
    for (_, document) in members(openapi) {
        for (name, definition) in members(&document["components"]["schemas"]) {
            all.insert(name.clone(), definition.clone());
        }
    }
    Value::Object(all)
}

/// Names of all definitions that `value` refers to, directly or through others.
pub fn reachable(value: &Value, definitions: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(value, definitions, &mut found);
    found
}

fn collect(value: &Value, definitions: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix(REFERENCE))
                && found.insert(name.to_owned())
            {
                collect(&definitions[name], definitions, found);
            }
            map.values().for_each(|inner| collect(inner, definitions, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect(inner, definitions, found)),
        _ => {}
    }
}

/// One file: a line of JSON `[{path, hash, length}…]`, then the compressed documents one after the other.
pub fn pack(openapi: &Value) -> Result<Vec<u8>, String> {
    let (mut index, mut blobs) = (Vec::new(), Vec::new());
    for (path, document) in members(openapi) {
        let Some(document) = cut(path, document) else { continue };
        let text = document.to_string();
        let blob = super::gzip(text.as_bytes())?;
        let hash = Sha256::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02X}"));
        index.push(json!({"path": path, "hash": hash, "length": blob.len()}));
        blobs.extend(blob);
    }
    let mut pack = Value::Array(index).to_string().into_bytes();
    pack.push(b'\n');
    pack.extend(blobs);
    Ok(pack)
}

/// The served part of a document; `None` when nothing of it is served.
fn cut(path: &str, document: &Value) -> Option<Value> {
    let parts: Vec<&str> = path.split('/').collect();
    let (group, version) = match parts.as_slice() {
        ["api", version] => ("", *version),
        ["apis", group, version] => (*group, *version),
        ["apis", group] => {
            return served::SERVED.iter().any(|served| served.group == *group).then(|| document.clone());
        }
        _ => return Some(document.clone()),
    };
    let served = served::resources(group, version);
    if served.is_empty() {
        return None;
    }
    let mut cut = document.clone();
    if let Some(paths) = cut["paths"].as_object_mut() {
        paths.retain(|route, _| is_served(route, path, served));
    }
    let definitions = &document["components"]["schemas"];
    let wanted = reachable(&cut["paths"], definitions);
    if let Some(schemas) = cut["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, definition| {
            wanted.contains(name) || {
                let kinds = items(&definition["x-kubernetes-group-version-kind"]);
                kinds.len() == 1 && served.iter().any(|resource| is_plural(resource, text(&kinds[0]["kind"])))
            }
        });
    }
    Some(cut)
}

fn is_plural(resource: &str, kind: &str) -> bool {
    let kind = kind.to_lowercase();
    resource == format!("{kind}s") || resource == format!("{kind}es")
}

/// Whether the resource that a path of a document names is served; the old watch paths are not.
fn is_served(route: &str, document: &str, served: &[&str]) -> bool {
    let Some(rest) = route.strip_prefix(&format!("/{document}/")) else { return false };
    let parts: Vec<&str> = rest.split('/').collect();
    let (resource, subresource) = match parts.as_slice() {
        ["" | "watch", ..] => return rest.is_empty(),
        ["namespaces", "{namespace}", resource, tail @ ..] => (*resource, tail.get(1)),
        [resource, tail @ ..] => (*resource, tail.get(1)),
        [] => return false,
    };
    let unserved = |sub: &&str| served::UNSERVED_SUBRESOURCES.contains(&format!("{resource}/{sub}").as_str());
    served.contains(&resource) && !subresource.is_some_and(unserved)
}
