//! What a claim lacks: a volume that is found or made for it, and the marks of being bound.

use super::making;
use crate::index::{Id, Index};
use crate::resources;
use emberyard_model::Quantity;
use emberyard_object::ApiRequest;
use emberyard_object::selector::LabelSelector;
use emberyard_object::view::{Meta, PodView, at, list, text};
use serde_json::{Value, json};

/// Annotation: both sides know of each other.
const COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// Annotation: not a user but the controller chose.
const BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

/// Whether the volume is meant for this very claim.
pub(super) fn is_meant(volume: &Value, claim: &Value) -> bool {
    let (meta, meant) = (Meta(claim), |field: &str| text(volume, &["spec", "claimRef", field]));
    (meant("namespace"), meant("name")) == (meta.namespace(), meta.name())
        && (meant("uid").is_empty() || meant("uid") == meta.uid())
}

/// The next request that brings the claim nearer to being bound.
pub(super) fn next_step(index: &Index, namespace: &str, name: &str, folder: &str) -> Option<ApiRequest> {
    let resource = resources::persistent_volume_claims();
    let claim = index.find(&resource, namespace, name).filter(|claim| !Meta(claim).is_deleting())?;
    let volume_name = text(claim, &["spec", "volumeName"]);
    if !volume_name.is_empty() {
        return follow(index, claim, volume_name);
    }
    let volumes = || index.all(&resources::persistent_volumes()).filter(|volume| !Meta(volume).is_deleting());
    if let Some(volume) = volumes().find(|volume| is_meant(volume, claim)) {
        let mut bound = claim.clone();
        bound["spec"]["volumeName"] = json!(Meta(volume).name());
        bound["metadata"]["annotations"][COMPLETED] = json!("yes");
        bound["metadata"]["annotations"][BY_CONTROLLER] = json!("yes");
        return Some(put(&bound));
    }
    let fitting = volumes().filter(|volume| fits(volume, claim));
    if let Some(volume) = fitting.min_by_key(|volume| (capacity(volume), Meta(volume).name().to_owned())) {
        return Some(making::meant_for(volume, claim));
    }
    let Some(class_name) = at(claim, &["spec", "storageClassName"]).and_then(Value::as_str) else {
        // Claims that were written before there was a default class get it now.
        let default = index
            .all(&resources::storage_classes())
            .find(|class| Meta(class).annotation("storageclass.kubernetes.io/is-default-class") == Some("true"))?;
        let mut classed = claim.clone();
        classed["spec"]["storageClassName"] = json!(Meta(default).name());
        return Some(put(&classed));
    };
    let class = index.find(&resources::storage_classes(), "", class_name)?;
    let waits = text(class, &["volumeBindingMode"]) == "WaitForFirstConsumer";
    if text(class, &["provisioner"]) != super::PROVISIONER || waits && !is_wanted(index, claim) {
        return None;
    }
    Some(making::volume(claim, class, folder))
}

/// A claim that names its volume: both must say so, and the claim's status too.
fn follow(index: &Index, claim: &Value, volume_name: &str) -> Option<ApiRequest> {
    let phase = text(claim, &["status", "phase"]);
    let Some(volume) = index.find(&resources::persistent_volumes(), "", volume_name) else {
        return (phase == "Bound").then(|| status(claim, json!({"phase": "Lost"})));
    };
    if at(volume, &["spec", "claimRef"]).is_none_or(Value::is_null)
        || is_meant(volume, claim) && text(volume, &["spec", "claimRef", "uid"]).is_empty()
    {
        return Some(making::meant_for(volume, claim));
    }
    if !is_meant(volume, claim) {
        return None; // somebody else's: the claim stays pending
    }
    if Meta(claim).annotation(COMPLETED).is_none() {
        let mut bound = claim.clone();
        bound["metadata"]["annotations"][COMPLETED] = json!("yes");
        return Some(put(&bound));
    }
    let bound = json!({
        "phase": "Bound", "accessModes": volume["spec"]["accessModes"], "capacity": volume["spec"]["capacity"],
    });
    (phase != "Bound").then(|| status(claim, bound))
}

/// Whether a free volume has everything that the claim asks for.
fn fits(volume: &Value, claim: &Value) -> bool {
    let free = at(volume, &["spec", "claimRef"]).is_none_or(Value::is_null);
    let class = |of: &Value| text(of, &["spec", "storageClassName"]).to_owned();
    let mode = |of: &Value| match text(of, &["spec", "volumeMode"]) {
        "" => "Filesystem".to_owned(),
        mode => mode.to_owned(),
    };
    let modes = list(volume, &["spec", "accessModes"]);
    let selected = match at(claim, &["spec", "selector"]) {
        None | Some(Value::Null) => true,
        Some(selector) => {
            LabelSelector::from_json(selector).ok().flatten().is_some_and(|selector| selector.matches(volume))
        }
    };
    let asked = amount(at(claim, &["spec", "resources", "requests", "storage"]));
    free && class(volume) == class(claim)
        && mode(volume) == mode(claim)
        && list(claim, &["spec", "accessModes"]).iter().all(|wanted| modes.contains(wanted))
        && selected
        && capacity(volume) >= asked
}

fn capacity(volume: &Value) -> Quantity {
    amount(at(volume, &["spec", "capacity", "storage"]))
}

fn amount(value: Option<&Value>) -> Quantity {
    value.and_then(Value::as_str).and_then(|text| Quantity::parse(text).ok()).unwrap_or_default()
}

/// Whether a pod wants the claim.
fn is_wanted(index: &Index, claim: &Value) -> bool {
    let uses = |pod: &&Value| super::protection::claims(pod).any(|name| name == Meta(claim).name());
    index.within(&resources::pods(), Meta(claim).namespace()).any(|pod| uses(&pod) && !PodView(pod).is_finished())
}

fn put(claim: &Value) -> ApiRequest {
    let resource = resources::persistent_volume_claims();
    let id = Id::of(&resource, claim);
    ApiRequest::update(&resource, id.at(), claim.clone())
}

fn status(claim: &Value, status: Value) -> ApiRequest {
    let resource = resources::persistent_volume_claims();
    let id = Id::of(&resource, claim);
    let mut claim = claim.clone();
    for (field, value) in status.as_object().into_iter().flatten() {
        claim["status"][field] = value.clone();
    }
    ApiRequest::update_status(&resource, id.at(), claim)
}
