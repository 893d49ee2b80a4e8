//! Custom resources: definitions change what the server serves.

use crate::store::{Object, Store};
use emberyard_model::Timestamp;
use emberyard_object::Catalog;
use emberyard_object::schema::Cause;
use emberyard_object::view::{list, text};
use serde_json::{Value, json};

/// What definitions are stored as.
pub(crate) const RESOURCE: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// What the objects of a definition are stored as.
pub(crate) fn stored_as(definition: &Value) -> String {
    format!("{}.{}", text(definition, &["spec", "names", "plural"]), text(definition, &["spec", "group"]))
}

/// The built-in kinds and all custom ones.
pub(crate) fn catalog_of(store: &Store) -> Catalog {
    store.list(RESOURCE, None).fold(Catalog::builtin(), |catalog, object| changed(&catalog, object, false))
}

/// The catalog after a definition was written or removed. One that cannot be served serves nothing.
pub(crate) fn changed(catalog: &Catalog, definition: &Object, removed: bool) -> Catalog {
    let without = catalog.without_crd(&definition.key.name);
    if removed { without } else { without.with_crd(&definition.value).unwrap_or(without) }
}

/// Fills in names and status of a definition as it is written: it is served at once.
pub(crate) fn establish(definition: &mut Value, now: Timestamp) {
    let kind = text(definition, &["spec", "names", "kind"]).to_owned();
    let names = &mut definition["spec"]["names"];
    if names.is_object() {
        for (key, value) in [("listKind", format!("{kind}List")), ("singular", kind.to_lowercase())] {
            if text(names, &[key]).is_empty() {
                names[key] = json!(value);
            }
        }
    }
    let accepted = definition["spec"]["names"].clone();
    let storage: Vec<String> = list(definition, &["spec", "versions"])
        .iter()
        .filter(|version| version["storage"] == true)
        .map(|version| text(version, &["name"]).to_owned())
        .collect();
    let mut stored: Vec<String> =
        list(definition, &["status", "storedVersions"]).iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    stored.extend(storage.into_iter().filter(|version| !stored.contains(version)).collect::<Vec<_>>());
    let since = |type_: &str| {
        let known = list(definition, &["status", "conditions"]).iter().find(|c| text(c, &["type"]) == type_);
        known.map_or_else(|| json!(now.rfc3339()), |condition| condition["lastTransitionTime"].clone())
    };
    let conditions = json!([
        {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found",
            "lastTransitionTime": since("NamesAccepted")},
        {"type": "Established", "status": "True", "reason": "InitialNamesAccepted",
            "message": "the initial names have been accepted", "lastTransitionTime": since("Established")},
    ]);
    definition["status"] = json!({"acceptedNames": accepted, "conditions": conditions, "storedVersions": stored});
}

/// What keeps a definition from being served.
pub(crate) fn causes(catalog: &Catalog, definition: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let wanted = stored_as(definition);
    let name = text(definition, &["metadata", "name"]);
    let mut add = |field: &str, message: String| {
        causes.push(Cause { reason: "FieldValueInvalid", field: field.to_owned(), message });
    };
    if name != wanted {
        add("metadata.name", format!("Invalid value: {}: must be spec.names.plural+\".\"+spec.group", json!(name)));
    }
    let group = text(definition, &["spec", "group"]);
    if catalog.kinds().any(|kind| !kind.custom && kind.gvr.group == group) {
        add("spec.group", format!("Invalid value: {}: belongs to a built-in API", json!(group)));
    }
    if list(definition, &["spec", "versions"]).iter().filter(|v| v["storage"] == true).count() != 1 {
        add("spec.versions", "Invalid value: must have exactly one version marked as storage version".to_owned());
    }
    if let Err(error) = catalog.without_crd(name).with_crd(definition) {
        add("spec.versions", format!("Invalid value: {error}"));
    }
    causes
}
