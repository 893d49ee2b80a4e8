//! The built-in kinds, out of the generated table.

use crate::schema::{Definition, Schema};
use crate::{Column, Gvk, Gvr, Kind, Subresource, data};
use serde_json::Value;
use std::sync::{Arc, LazyLock};

static KINDS: LazyLock<Vec<Arc<Kind>>> = LazyLock::new(|| {
    let table = data::json(data::KINDS);
    table.as_array().into_iter().flatten().map(|entry| Arc::new(kind(entry))).collect()
});

/// All of them, in the order of discovery.
pub fn kinds() -> Vec<Arc<Kind>> {
    KINDS.clone()
}

fn kind(entry: &Value) -> Kind {
    let gvr = Gvr::new(text(entry, "group"), text(entry, "version"), text(entry, "resource"));
    let stored_group = entry.get("storedIn").and_then(Value::as_str).unwrap_or(&gvr.group);
    let name = text(entry, "kind");
    Kind {
        gvk: Gvk::new(&gvr.group, &gvr.version, name),
        stored_as: Gvr::new(stored_group, &gvr.version, &gvr.resource),
        list_kind: format!("{name}List"),
        singular: text(entry, "singular").to_owned(),
        short_names: texts(&entry["shortNames"]),
        categories: texts(&entry["categories"]),
        namespaced: flag(entry, "namespaced"),
        verbs: texts(&entry["verbs"]),
        subresources: items(&entry["subresources"]).iter().map(subresource).collect(),
        delete_answers_object: flag(entry, "deleteAnswersObject"),
        has_generation: flag(entry, "generation"),
        columns: items(&entry["columns"]).iter().map(column).collect(),
        custom: false,
        selectable_fields: texts(&entry["fields"]),
        schema: schema(entry),
        rules: None,
        gvr,
    }
}

fn subresource(entry: &Value) -> Subresource {
    Subresource {
        name: text(entry, "name").to_owned(),
        kind: Gvk::new(text(entry, "group"), text(entry, "version"), text(entry, "kind")),
        verbs: texts(&entry["verbs"]),
        schema: schema(entry),
    }
}

fn schema(entry: &Value) -> Arc<Schema> {
    Definition::named(text(entry, "definition")).map_or_else(|| Arc::new(Schema::ANY), Definition::reference)
}

fn column(entry: &Value) -> Column {
    Column {
        name: text(entry, "name").to_owned(),
        type_: text(entry, "type").to_owned(),
        format: text(entry, "format").to_owned(),
        priority: entry["priority"].as_i64().unwrap_or(0),
        json_path: String::new(),
    }
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry.get(key).and_then(Value::as_str).unwrap_or("")
}

fn flag(entry: &Value, key: &str) -> bool {
    entry.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn texts(list: &Value) -> Vec<String> {
    items(list).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
