//! Fields that stay as they were created.

use super::workload;
use emberyard_object::schema::Cause;
use emberyard_object::view::at;
use serde_json::{Value, json};

const POD: &str = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
                   `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                   existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
                   previously negative)";

/// Paths that may not change, by what the objects are stored as.
const FIXED: [(&str, &[&[&str]]); 8] = [
    ("rolebindings.rbac.authorization.k8s.io", &[&["roleRef"]]),
    ("clusterrolebindings.rbac.authorization.k8s.io", &[&["roleRef"]]),
    ("storageclasses.storage.k8s.io", &[&["provisioner"], &["parameters"], &["reclaimPolicy"], &["volumeBindingMode"]]),
    ("priorityclasses.scheduling.k8s.io", &[&["value"]]),
    ("secrets", &[&["type"]]),
    ("deployments.apps", &[&["spec", "selector"]]),
    ("replicasets.apps", &[&["spec", "selector"]]),
    ("controllerrevisions.apps", &[&["data"]]),
];

/// What an update changed that may not change.
pub(super) fn changes(resource: &str, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (_, paths) in FIXED.iter().filter(|(of, _)| *of == resource) {
        for path in paths.iter().filter(|path| at(old, path) != at(new, path)) {
            let value = at(new, path).unwrap_or(&Value::Null);
            causes.push(invalid(&path.join("."), format!("Invalid value: {value}: field is immutable")));
        }
    }
    causes.extend(workload::changes(resource, old, new));
    match resource {
        "pods" if pod_core(old) != pod_core(new) || tolerations_lost(old, new) => {
            causes.push(forbidden("spec", POD));
        }
        "configmaps" | "secrets" if old["immutable"] == true => {
            for field in ["data", "binaryData"].into_iter().filter(|field| old.get(field) != new.get(field)) {
                causes.push(forbidden(field, "Forbidden: field is immutable when `immutable` is set"));
            }
            if new["immutable"] != true {
                causes.push(forbidden("immutable", "Forbidden: field is immutable when `immutable` is set"));
            }
        }
        "persistentvolumeclaims" => {
            let is_unset = |key: &&str| old["spec"][key].as_str().unwrap_or("").is_empty();
            let unset: Vec<&str> = ["volumeName", "storageClassName"].into_iter().filter(is_unset).collect();
            if claim_core(old, &unset) == claim_core(new, &unset) {
                return causes;
            }
            let message = "Forbidden: spec is immutable after creation except resources.requests and \
                           volumeAttributesClassName for bound claims";
            causes.push(forbidden("spec", message));
        }
        _ => {}
    }
    causes
}

fn invalid(field: &str, message: String) -> Cause {
    Cause { reason: "FieldValueInvalid", field: field.to_owned(), message }
}

fn forbidden(field: &str, message: &str) -> Cause {
    Cause { reason: "FieldValueForbidden", field: field.to_owned(), message: message.to_owned() }
}

/// A pod's spec without what may change.
fn pod_core(pod: &Value) -> Value {
    let mut spec = pod["spec"].clone();
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            container["image"] = json!("");
        }
    }
    let gated = spec["schedulingGates"].as_array().is_some_and(|gates| !gates.is_empty());
    if let Some(fields) = spec.as_object_mut() {
        // Gates may go; node name is set by the binding, which does not come this way.
        let loose = ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"];
        fields.retain(|key, value| !loose.contains(&key.as_str()) && !value.is_null());
        if gated {
            fields.retain(|key, _| !matches!(key.as_str(), "nodeSelector" | "affinity"));
        }
    }
    spec
}

fn tolerations_lost(old: &Value, new: &Value) -> bool {
    let list = |pod: &Value| pod["spec"]["tolerations"].as_array().cloned().unwrap_or_default();
    let kept = list(new);
    list(old).iter().any(|toleration| !kept.contains(toleration))
}

/// A claim's spec without what may change: what it asks for, and what is not said yet and is filled in once.
fn claim_core(claim: &Value, unset: &[&str]) -> Value {
    let mut spec = claim["spec"].clone();
    if let Some(fields) = spec.as_object_mut() {
        fields.retain(|key, value| {
            let loose =
                matches!(key.as_str(), "resources" | "volumeAttributesClassName") || unset.contains(&key.as_str());
            !loose && !value.is_null()
        });
    }
    spec
}
