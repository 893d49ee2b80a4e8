//! Claims on volumes.

use crate::call::Call;
use emberyard_object::schema::Cause;
use emberyard_object::view::{Meta, at, list};
use serde_json::{Value, json};

/// What a new claim is given: its protection, the default class, a status.
pub(super) fn create(call: &Call<'_>, object: &mut Value) {
    super::protect(object, "kubernetes.io/pvc-protection");
    if at(object, &["spec", "storageClassName"]).is_none() {
        let default = call
            .server
            .store
            .list("storageclasses.storage.k8s.io", None)
            .filter(|c| Meta(&c.value).annotation("storageclass.kubernetes.io/is-default-class") == Some("true"))
            .max_by_key(|class| class.revision);
        if let Some(class) = default {
            object["spec"]["storageClassName"] = json!(&*class.key.name);
        }
    }
    object["status"] = json!({"phase": "Pending"});
}

/// What a claim must say.
pub(super) fn causes(object: &Value) -> Vec<Cause> {
    let required = |field: &str, message: &str| Cause {
        reason: "FieldValueRequired",
        field: field.to_owned(),
        message: format!("Required value{message}"),
    };
    let mut causes = Vec::new();
    if list(object, &["spec", "accessModes"]).is_empty() {
        causes.push(required("spec.accessModes", ": at least 1 access mode is required"));
    }
    if at(object, &["spec", "resources", "requests", "storage"]).is_none() {
        causes.push(required("spec.resources[storage]", ""));
    }
    causes
}
