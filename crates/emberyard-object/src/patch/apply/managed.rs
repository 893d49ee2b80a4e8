//! `metadata.managedFields`.

use super::Manager;
use super::diff;
use super::fields::FieldSet;
use crate::Kind;
use crate::view::{list, text};
use emberyard_model::Timestamp;
use serde_json::{Value, json};

/// How fields came to be owned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// By a configuration.
    Apply,
    /// By a plain write.
    Update,
}

impl Operation {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// One owner and its fields.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub manager: String,
    /// How it came to own them.
    pub operation: Operation,
    /// The version it speaks.
    pub api_version: String,
    /// The subresource it wrote to, or "".
    pub subresource: String,
    /// When its set last changed.
    pub time: String,
    /// What it owns.
    pub fields: FieldSet,
}

impl Entry {
    /// A new owner.
    pub fn new(manager: Manager<'_>, operation: Operation, fields: FieldSet, now: Timestamp) -> Self {
        Self {
            manager: manager.name.to_owned(),
            operation,
            api_version: manager.api_version.to_owned(),
            subresource: manager.subresource.to_owned(),
            time: now.rfc3339(),
            fields,
        }
    }

    /// The owner of all that was written before anyone tracked it.
    pub fn before_first_apply(kind: &Kind, live: &Value, api_version: &str, now: Timestamp) -> Self {
        let manager = Manager { name: "before-first-apply", subresource: "", api_version };
        let mut fields = diff::fields_of(live, &kind.schema).unwrap_or_default();
        strip_fields(&mut fields);
        Self::new(manager, Operation::Update, fields, now)
    }

    /// Whether this is the manager's entry for the operation.
    pub fn is(&self, manager: Manager<'_>, operation: Operation) -> bool {
        self.manager == manager.name
            && self.operation == operation
            && self.subresource == manager.subresource
            && self.api_version == manager.api_version
    }
}

/// The owners that an object names; entries without fields are left out.
pub fn read(object: &Value) -> Vec<Entry> {
    let entry = |entry: &Value| {
        let word = |key: &str| text(entry, &[key]).to_owned();
        let operation = match text(entry, &["operation"]) {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        let fields = entry.get("fieldsV1").filter(|fields| fields.as_object().is_some_and(|map| !map.is_empty()))?;
        Some(Entry {
            manager: word("manager"),
            operation,
            api_version: word("apiVersion"),
            subresource: word("subresource"),
            time: word("time"),
            fields: FieldSet { owned: false, ..FieldSet::from_json(fields) },
        })
    };
    list(object, &["metadata", "managedFields"]).iter().filter_map(entry).collect()
}

/// Writes the owners that own something; those by configuration first, then by time and name.
pub fn write(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.fields.is_empty());
    entries.sort_by(|a, b| {
        let key = |entry: &Entry| (entry.operation == Operation::Update, entry.time.clone(), entry.manager.clone());
        key(a).cmp(&key(b))
    });
    let entries: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let mut json = json!({"manager": entry.manager, "operation": entry.operation.as_str(),
                "apiVersion": entry.api_version, "time": entry.time, "fieldsType": "FieldsV1",
                "fieldsV1": entry.fields.to_json()});
            if !entry.subresource.is_empty() {
                json["subresource"] = json!(entry.subresource);
            }
            json
        })
        .collect();
    strip(object);
    if !entries.is_empty()
        && let Some(members) = object.as_object_mut()
    {
        let meta = members.entry("metadata").or_insert_with(|| json!({}));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert("managedFields".to_owned(), Value::Array(entries));
        }
    }
}

/// Takes the owners off an object.
pub fn strip(object: &mut Value) {
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
    }
}

/// What nobody can own: identity and what the server keeps.
pub fn strip_fields(fields: &mut FieldSet) {
    const META: [&str; 9] = [
        "f:clusterName",
        "f:creationTimestamp",
        "f:generation",
        "f:managedFields",
        "f:name",
        "f:namespace",
        "f:resourceVersion",
        "f:selfLink",
        "f:uid",
    ];
    fields.children.retain(|element, _| element != "f:apiVersion" && element != "f:kind");
    if let Some(meta) = fields.children.get_mut("f:metadata") {
        meta.children.retain(|element, _| !META.contains(&element.as_str()));
        meta.owned = false;
        if meta.is_empty() {
            fields.children.remove("f:metadata");
        }
    }
}
