//! The replica set of the present template, and the numbers that templates have in history.

use super::{Deployment, counted, rolling, wanted, write};
use crate::index::Index;
use crate::resources;
use crate::workload::{hash, members, number};
use emberyard_object::ApiRequest;
use emberyard_object::view::{Meta, at};
use serde_json::{Map, Value, json};

/// Label that tells the pods of one template from those of others.
const HASH: &str = "pod-template-hash";
/// Annotation: the template's number, which `kubectl rollout history` lists.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
/// Annotations of a deployment that say nothing of its replica sets.
const OWN: [&str; 2] = ["kubectl.kubernetes.io/last-applied-configuration", "deprecated.deployment.rollback.to"];

fn revision(object: &Value) -> i64 {
    Meta(object).annotation(REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn without_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove(HASH);
    }
    template
}

/// The oldest set that has the deployment's template.
pub(super) fn find<'a>(deployment: Deployment<'_>, sets: &[&'a Value]) -> Option<&'a Value> {
    let template = without_hash(&deployment.0["spec"]["template"]);
    sets.iter().copied().find(|set| without_hash(&set["spec"]["template"]) == template)
}

/// What replica sets take over of a deployment's annotations.
fn annotations(deployment: Deployment<'_>) -> Map<String, Value> {
    let all = at(deployment.0, &["metadata", "annotations"]).and_then(Value::as_object).cloned().unwrap_or_default();
    let shared = |key: &String| !OWN.contains(&key.as_str()) && !key.starts_with("deployment.kubernetes.io/");
    all.into_iter().filter(|(key, _)| shared(key)).collect()
}

/// Gives the newest set the highest number, and the deployment the same.
pub(super) fn numbered(deployment: Deployment<'_>, new: Option<&Value>, old: &[&Value]) -> Option<ApiRequest> {
    let new = new?;
    let due = old.iter().map(|set| revision(set)).max().unwrap_or(0) + 1;
    let mut wanted = new.clone();
    if !wanted["metadata"]["annotations"].is_object() {
        wanted["metadata"]["annotations"] = json!({});
    }
    for (key, value) in annotations(deployment) {
        wanted["metadata"]["annotations"][key] = value;
    }
    if revision(new) < due {
        wanted["metadata"]["annotations"][REVISION] = json!(due.to_string());
    }
    wanted["spec"]["minReadySeconds"] = deployment.0["spec"]["minReadySeconds"].clone();
    if wanted["spec"]["minReadySeconds"].is_null()
        && let Some(spec) = wanted["spec"].as_object_mut()
    {
        spec.remove("minReadySeconds");
    }
    if wanted["metadata"]["annotations"] != at(new, &["metadata", "annotations"]).cloned().unwrap_or_else(|| json!({}))
        || at(&wanted, &["spec", "minReadySeconds"]) != at(new, &["spec", "minReadySeconds"])
    {
        return Some(write(&resources::replica_sets(), wanted));
    }
    (revision(new) != revision(deployment.0)).then(|| {
        let mut object = deployment.0.clone();
        if !object["metadata"]["annotations"].is_object() {
            object["metadata"]["annotations"] = json!({});
        }
        object["metadata"]["annotations"][REVISION] = json!(revision(new).to_string());
        write(&resources::deployments(), object)
    })
}

/// The hash that makes a name for the template which nothing else has.
fn free(deployment: Deployment<'_>, index: &Index) -> String {
    let template = &deployment.0["spec"]["template"];
    let mut count = number(deployment.0, &["status", "collisionCount"]).unwrap_or(0);
    loop {
        let hash = hash::short(&format!("{template}{count}"), 10);
        let name = format!("{}-{hash}", deployment.meta().name());
        if index.find(&resources::replica_sets(), deployment.meta().namespace(), &name).is_none() {
            return hash;
        }
        count += 1;
    }
}

/// The set of a template that has none yet.
pub(super) fn make(deployment: Deployment<'_>, old: &[&Value], index: &Index) -> ApiRequest {
    let hash = free(deployment, index);
    let meta = deployment.meta();
    let spec = &deployment.0["spec"];
    let (mut template, mut selector) = (spec["template"].clone(), spec["selector"].clone());
    template["metadata"]["labels"][HASH] = json!(hash);
    selector["matchLabels"][HASH] = json!(hash);
    let mut notes = annotations(deployment);
    let due = old.iter().map(|set| revision(set)).max().unwrap_or(0) + 1;
    notes.insert(REVISION.to_owned(), json!(due.to_string()));
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": format!("{}-{hash}", meta.name()), "namespace": meta.namespace(),
            "labels": template["metadata"]["labels"], "annotations": notes,
            "ownerReferences": [deployment.owner().reference()]},
        "spec": {"replicas": rolling::new_size(deployment, 0, old), "selector": selector, "template": template},
    });
    if let Some(seconds) = number(deployment.0, &["spec", "minReadySeconds"]) {
        object["spec"]["minReadySeconds"] = json!(seconds);
    }
    ApiRequest::create(&resources::replica_sets(), Some(meta.namespace()), object)
}

/// Deletes of the oldest empty sets beyond the history's limit.
pub(super) fn surplus(deployment: Deployment<'_>, old: &[&Value]) -> Vec<ApiRequest> {
    let limit = number(deployment.0, &["spec", "revisionHistoryLimit"]).unwrap_or(10);
    let mut empty: Vec<&Value> = old
        .iter()
        .copied()
        .filter(|set| wanted(set) == 0 && counted(set, "replicas") == 0)
        .filter(|set| counted(set, "observedGeneration") >= Meta(set).generation())
        .collect();
    empty.sort_by_key(|set| revision(set));
    let over = empty.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    empty.into_iter().take(over).map(|set| members::delete(&resources::replica_sets(), set)).collect()
}
