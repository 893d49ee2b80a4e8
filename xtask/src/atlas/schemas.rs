//! Schemas of all served kinds, each definition once.

use super::go_types::GoTypes;
use super::{items, members, openapi, served, text};
use serde_json::{Map, Value, json};

/// `{definition name: schema}` for everything reachable from the served kinds. A property of which Go does not write
/// the zero value back is marked `x-omit-zero`.
pub fn make(definitions: &Value, kinds: &Value, go_types: &GoTypes) -> Result<Value, String> {
    let mut roots: Vec<Value> = served::BODIES.iter().map(|name| json!(name)).collect();
    for kind in items(kinds) {
        roots.push(kind["definition"].clone());
        roots.extend(items(&kind["subresources"]).iter().filter_map(|sub| sub.get("definition").cloned()));
    }
    let references: Vec<Value> =
        roots.iter().map(|name| json!({"$ref": format!("#/components/schemas/{}", text(name))})).collect();
    let mut schemas = Map::new();
    for name in openapi::reachable(&Value::Array(references), definitions) {
        let mut definition = definitions.get(&name).ok_or_else(|| format!("no definition {name}"))?.clone();
        mark(&name, &mut definition, go_types);
        schemas.insert(name, definition);
    }
    Ok(Value::Object(schemas))
}

fn mark(name: &str, definition: &mut Value, go_types: &GoTypes) {
    let Some(properties) = definition.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let Some(go) = go_types.of_openapi(name) else { return };
    for (property, schema) in properties {
        let plain = matches!(text(&schema["type"]), "string" | "integer" | "number" | "boolean" | "array" | "object");
        let omits = go.fields.iter().any(|field| field.json == *property && field.omits_zero());
        if plain && omits && members(schema).next().is_some() {
            schema["x-omit-zero"] = json!(true);
        }
    }
}
