//! What a node's agent may write: itself, its lease, the status and end of its pods, tokens for them.
//!
//! The rules of upstream's NodeRestriction as far as our kinds reach.

use super::Operation;
use crate::authz::node::node_name;
use crate::call::{Call, Place};
use crate::failure::{Failure, Outcome};
use emberyard_object::view::{Meta, PodView, at, list, text};
use serde_json::Value;
use std::collections::BTreeMap;

/// Labels below these only the cluster's owner sets.
const RESERVED: [&str; 2] = ["node-restriction.kubernetes.io/", "node-role.kubernetes.io/"];

pub(super) fn check(
    call: &Call<'_>,
    place: &Place,
    operation: Operation,
    old: Option<&Value>,
    object: &Value,
) -> Outcome<()> {
    let Some(node) = node_name(&call.user) else { return Ok(()) };
    let refuse = |why: String| {
        let name = if place.name().is_empty() { Meta(object).name() } else { place.name() };
        Err(Failure::forbidden(place.gvr(), name, why))
    };
    match &*place.resource {
        "nodes" if Meta(object).name() != node => {
            refuse(format!("node \"{node}\" is not allowed to modify other nodes"))
        }
        "nodes" if operation == Operation::Delete => refuse(format!("node \"{node}\" cannot delete itself")),
        "nodes" => {
            if let Some(label) = reserved_label_change(old, object) {
                return refuse(format!("is not allowed to modify labels: {label}"));
            }
            let taints = |object: &Value| list(object, &["spec", "taints"]).to_vec();
            match old {
                Some(old) if taints(old) != taints(object) => {
                    refuse(format!("node \"{node}\" is not allowed to modify taints"))
                }
                _ => Ok(()),
            }
        }
        "leases.coordination.k8s.io" if place.namespace() != "kube-node-lease" || Meta(object).name() != node => {
            refuse(format!("can only access node lease with the same name as the requesting node \"{node}\""))
        }
        "pods" => pod(node, operation, old, object).or_else(refuse),
        _ => Ok(()),
    }
}

fn pod(node: &str, operation: Operation, old: Option<&Value>, object: &Value) -> Result<(), String> {
    let owner = PodView(old.unwrap_or(object)).node_name();
    match operation {
        Operation::Create if Meta(object).annotation("kubernetes.io/config.mirror").is_none() => Err(format!(
            "pod does not have \"kubernetes.io/config.mirror\" annotation, node \"{node}\" can only create mirror pods"
        )),
        _ if owner != node => Err(format!("node \"{node}\" can only act on pods with spec.nodeName set to itself")),
        Operation::UpdateStatus if old.is_some_and(|old| Meta(old).labels() != Meta(object).labels()) => {
            Err(format!("node \"{node}\" cannot update labels through pod status"))
        }
        Operation::Update => Err(format!("node \"{node}\" can only update the status of pods")),
        _ => Ok(()),
    }
}

fn reserved_label_change(old: Option<&Value>, new: &Value) -> Option<String> {
    let labels = |object: Option<&Value>| -> BTreeMap<String, Value> {
        let map = object.and_then(|object| at(object, &["metadata", "labels"])).and_then(Value::as_object);
        map.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let (old, new) = (labels(old), labels(Some(new)));
    let reserved = |key: &&String| RESERVED.iter().any(|prefix| key.starts_with(prefix));
    old.keys().chain(new.keys()).filter(reserved).find(|key| old.get(*key) != new.get(*key)).cloned()
}

/// Whether a node may ask for this token: bound to a pod of its own, that runs as this account, for an audience that
/// one of the pod's volumes names (or the API server's own).
pub(crate) fn token(
    node: &str,
    account: &str,
    pod: Option<&Value>,
    audiences: &[String],
    own_audience: &str,
) -> Result<(), String> {
    let Some(pod) = pod else { return Err(format!("node \"{node}\" can only request tokens bound to a pod")) };
    let view = PodView(pod);
    if view.node_name() != node {
        return Err(format!("node \"{node}\" requested a token bound to a pod scheduled on a different node"));
    }
    if view.service_account() != account {
        return Err(format!("node \"{node}\" requested a token for an account the pod does not run as"));
    }
    let sources = view.volumes().iter().flat_map(|volume| list(volume, &["projected", "sources"]));
    let named: Vec<&str> = sources.map(|source| text(source, &["serviceAccountToken", "audience"])).collect();
    match audiences.iter().find(|audience| *audience != own_audience && !named.contains(&audience.as_str())) {
        Some(other) => Err(format!("audience \"{other}\" not found in pod spec volume")),
        None => Ok(()),
    }
}
