//! What a pod of a stateful set is called, and what it keeps through all its lives.

use super::{Set, claims};
use crate::workload::pods;
use emberyard_object::view::{Meta, list, text};
use serde_json::{Value, json};

/// Label that names the revision a pod was made from.
pub(super) const REVISION: &str = "controller-revision-hash";

/// The ordinal of a pod of this name in a set of that; `None` if it is none of the set's.
pub(super) fn ordinal(pod: &str, set: &str) -> Option<i64> {
    let digits = pod.strip_prefix(set)?.strip_prefix('-')?;
    let plain = digits == "0" || !digits.starts_with('0');
    (plain && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// The revision a pod was made from.
pub(super) fn revision(pod: &Value) -> &str {
    Meta(pod).label(REVISION).unwrap_or("")
}

/// The pod of an ordinal, of a revision's template.
pub(super) fn pod(set: Set<'_>, ordinal: i64, template: &Value, revision: &str) -> Value {
    let name = format!("{}-{ordinal}", set.meta().name());
    let mut pod = pods::from_template(template, set.meta().namespace(), set.owner().reference());
    pod["metadata"]["name"] = json!(name);
    let labels = [
        ("statefulset.kubernetes.io/pod-name", name.clone()),
        ("apps.kubernetes.io/pod-index", ordinal.to_string()),
        (REVISION, revision.to_owned()),
    ];
    if !pod["metadata"]["labels"].is_object() {
        pod["metadata"]["labels"] = json!({});
    }
    for (label, value) in labels {
        pod["metadata"]["labels"][label] = json!(value);
    }
    pod["spec"]["hostname"] = json!(name);
    let service = text(set.0, &["spec", "serviceName"]);
    if !service.is_empty() {
        pod["spec"]["subdomain"] = json!(service);
    }
    let templates = set.claim_templates();
    if !templates.is_empty() {
        // A volume of a claim's name in the template gives way to the claim.
        let is_claimed = |volume: &&Value| templates.iter().any(|claim| Meta(claim).name() == text(volume, &["name"]));
        let mut volumes: Vec<Value> =
            list(template, &["spec", "volumes"]).iter().filter(|volume| !is_claimed(volume)).cloned().collect();
        volumes.extend(templates.iter().map(|claim| {
            let claimed = claims::name(claim, set.meta().name(), ordinal);
            json!({"name": Meta(claim).name(), "persistentVolumeClaim": {"claimName": claimed}})
        }));
        pod["spec"]["volumes"] = json!(volumes);
    }
    pod
}
