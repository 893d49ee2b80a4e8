//! The disks of a stateful set's pods: claims that are made before a pod and outlive it.

use super::Set;
use super::identity;
use crate::index::{Id, Index};
use crate::resources;
use emberyard_object::ApiRequest;
use emberyard_object::view::{Meta, at, list};
use serde_json::{Value, json};

/// Name of a claim.
pub(super) fn name(template: &Value, set: &str, ordinal: i64) -> String {
    format!("{}-{set}-{ordinal}", Meta(template).name())
}

/// Whether a claim of this name is one of the set's.
pub(super) fn is_of(set: Set<'_>, claim: &str) -> bool {
    set.claim_templates().iter().any(|template| {
        let rest = claim.strip_prefix(Meta(template).name()).and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|pod| identity::ordinal(pod, set.meta().name()).is_some())
    })
}

/// Whether a pod's claims are there.
#[derive(Debug)]
pub(super) enum Claims {
    There,
    /// One is on its way out and must be gone first.
    Wait,
    Make(Vec<ApiRequest>),
}

/// Looks for the claims of an ordinal.
pub(super) fn look(set: Set<'_>, ordinal: i64, index: &Index) -> Claims {
    let (resource, namespace) = (resources::persistent_volume_claims(), set.meta().namespace());
    let mut missing = Vec::new();
    for template in set.claim_templates() {
        let name = name(template, set.meta().name(), ordinal);
        match index.find(&resource, namespace, &name) {
            Some(claim) if Meta(claim).is_deleting() || is_stale(claim, index) => return Claims::Wait,
            Some(_) => {}
            None => missing.push(ApiRequest::create(&resource, Some(namespace), claim(set, template, &name, ordinal))),
        }
    }
    if missing.is_empty() { Claims::There } else { Claims::Make(missing) }
}

/// Owned by a pod that is no more: the garbage collector will take it, and the data with it.
fn is_stale(claim: &Value, index: &Index) -> bool {
    Meta(claim).owners().any(|owner| {
        owner.kind == "Pod"
            && index
                .find(&resources::pods(), Meta(claim).namespace(), owner.name)
                .is_none_or(|pod| Meta(pod).uid() != owner.uid)
    })
}

fn claim(set: Set<'_>, template: &Value, name: &str, ordinal: i64) -> Value {
    let mut metadata = json!({"name": name, "namespace": set.meta().namespace()});
    for field in ["labels", "annotations"] {
        if let Some(value) = at(template, &["metadata", field]) {
            metadata[field] = value.clone();
        }
    }
    for (key, value) in at(set.0, &["spec", "selector", "matchLabels"]).and_then(Value::as_object).into_iter().flatten()
    {
        if !metadata["labels"].is_object() {
            metadata["labels"] = json!({});
        }
        metadata["labels"][key] = value.clone();
    }
    let owners = owners(set, ordinal, None);
    if !owners.is_empty() {
        metadata["ownerReferences"] = json!(owners);
    }
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"]})
}

/// Who takes the claim with it when it goes: the set, or a pod that is scaled away.
fn owners(set: Set<'_>, ordinal: i64, pod: Option<&Value>) -> Vec<Value> {
    let condemned = !set.ordinals().contains(&ordinal);
    if condemned && set.deletes_claims("whenScaled") {
        return pod.map(reference_to_pod).into_iter().collect();
    }
    if set.deletes_claims("whenDeleted") { vec![set.owner().reference()] } else { Vec::new() }
}

fn reference_to_pod(pod: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "name": Meta(pod).name(), "uid": Meta(pod).uid(),
        "controller": true, "blockOwnerDeletion": true})
}

/// What brings the owners of a pod's claims in line with the set's retention policy.
pub(super) fn retain(set: Set<'_>, ordinal: i64, pod: &Value, index: &Index) -> Vec<ApiRequest> {
    let (resource, namespace) = (resources::persistent_volume_claims(), set.meta().namespace());
    let wanted = owners(set, ordinal, Some(pod));
    let ours = |owner: &&Value| owner["uid"] == set.meta().uid() || owner["uid"] == Meta(pod).uid();
    let found = set.claim_templates().iter().filter_map(|template| {
        let claim = index.find(&resource, namespace, &name(template, set.meta().name(), ordinal))?;
        let known = list(claim, &["metadata", "ownerReferences"]);
        let uids = |all: &[Value]| all.iter().map(|one| one["uid"].clone()).collect::<Vec<_>>();
        let own: Vec<Value> = known.iter().filter(ours).cloned().collect();
        if Meta(claim).is_deleting() || uids(&own) == uids(&wanted) {
            return None;
        }
        let mut all: Vec<Value> = known.iter().filter(|owner| !ours(owner)).cloned().collect();
        all.extend(wanted.iter().cloned());
        Some((claim, all))
    });
    found.map(|(claim, all)| rewrite(claim, all)).collect()
}

/// An update and no patch: `system:controller:statefulset-controller` may not patch claims.
fn rewrite(claim: &Value, owners: Vec<Value>) -> ApiRequest {
    let resource = resources::persistent_volume_claims();
    let mut object = claim.clone();
    object["metadata"]["ownerReferences"] = json!(owners);
    ApiRequest::update(&resource, Id::of(&resource, claim).at(), object)
}
