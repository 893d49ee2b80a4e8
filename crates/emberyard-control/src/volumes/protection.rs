//! A claim that a pod uses, and a volume that a claim is bound to, are not deleted under them.

use crate::index::{Id, Index};
use crate::reconcile::{Reconciler, Seen, Work};
use crate::{Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, PodView, list, text};
use emberyard_object::{ApiRequest, Gvr};
use serde_json::{Value, json};

const CLAIM: &str = "kubernetes.io/pvc-protection";
const VOLUME: &str = "kubernetes.io/pv-protection";

/// What of a pod says which claims it uses, and whether it still does.
pub(super) fn keep_pod(pod: &Value) -> Value {
    let mut kept = trim::only(pod, trim::LIFE);
    kept["spec"] = json!({"nodeName": PodView(pod).node_name(), "volumes": PodView(pod).volumes()});
    kept["status"] = json!({"phase": PodView(pod).phase()});
    kept
}

/// Names of the claims that a pod uses.
pub(super) fn claims(pod: &Value) -> impl Iterator<Item = String> {
    let name = Meta(pod).name();
    PodView(pod).volumes().iter().filter_map(move |volume| {
        if volume.get("ephemeral").is_some() {
            return Some(format!("{name}-{}", text(volume, &["name"])));
        }
        Some(text(volume, &["persistentVolumeClaim", "claimName"]).to_owned()).filter(|claim| !claim.is_empty())
    })
}

/// Holds claims while pods use them.
#[derive(Debug, Default)]
pub(crate) struct ClaimProtection;

impl Reconciler for ClaimProtection {
    /// Namespace and name of the claim.
    type Key = (String, String);

    fn name(&self) -> &'static str {
        "pvc-protection-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::persistent_volume_claims(), resources::pods()]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource == resources::pods() { keep_pod(object) } else { trim::without_managed_fields(object) }
    }

    fn affected(&mut self, seen: Seen<'_>, _index: &Index, _now: Timestamp) -> Vec<Self::Key> {
        let namespace = &seen.id.namespace;
        if seen.is(&resources::pods()) {
            return claims(seen.object).map(|name| (namespace.clone(), name)).collect();
        }
        vec![(namespace.clone(), seen.id.name.clone())]
    }

    fn reconcile(&mut self, (namespace, name): &Self::Key, index: &Index, _now: Timestamp, _rng: Rng<'_>) -> Work {
        let claim = index.find(&resources::persistent_volume_claims(), namespace, name);
        let used = index.within(&resources::pods(), namespace).any(|pod| {
            let runs = !PodView(pod).node_name().is_empty() && !PodView(pod).is_finished();
            runs && claims(pod).any(|one| one == *name)
        });
        claim
            .and_then(|claim| hold(&resources::persistent_volume_claims(), claim, CLAIM, used))
            .map(Work::one)
            .unwrap_or_default()
    }
}

/// Holds volumes while claims are bound to them.
#[derive(Debug, Default)]
pub(crate) struct VolumeProtection;

impl Reconciler for VolumeProtection {
    /// Name of the volume.
    type Key = String;

    fn name(&self) -> &'static str {
        "pv-protection-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::persistent_volumes()]
    }

    fn affected(&mut self, seen: Seen<'_>, _index: &Index, _now: Timestamp) -> Vec<String> {
        vec![seen.id.name.clone()]
    }

    fn reconcile(&mut self, name: &String, index: &Index, _now: Timestamp, _rng: Rng<'_>) -> Work {
        let resource = resources::persistent_volumes();
        let Some(volume) = index.find(&resource, "", name) else { return Work::default() };
        let bound = text(volume, &["status", "phase"]) == "Bound";
        hold(&resource, volume, VOLUME, bound).map(Work::one).unwrap_or_default()
    }
}

/// Puts the finalizer on what lives, and takes it off what is being deleted and not in use any more.
fn hold(resource: &Gvr, object: &Value, finalizer: &str, used: bool) -> Option<ApiRequest> {
    let meta = Meta(object);
    let held = meta.finalizers().any(|one| one == finalizer);
    if held != meta.is_deleting() || held && used {
        return None;
    }
    let mut finalizers = list(object, &["metadata", "finalizers"]).to_vec();
    finalizers.retain(|one| one != finalizer);
    if !held {
        finalizers.push(json!(finalizer));
    }
    let mut object = object.clone();
    object["metadata"]["finalizers"] = json!(finalizers);
    let id = Id::of(resource, &object);
    Some(ApiRequest::update(resource, id.at(), object))
}
