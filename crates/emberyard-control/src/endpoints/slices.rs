//! A service's slices: one for each set of ports, at most a thousand endpoints in each.

use super::{MANAGED_BY, SERVICE, US, pods};
use crate::workload::hash;
use emberyard_object::view::{Meta, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Kubernetes allows no more in one slice.
const MOST: usize = 1000;
/// Label that tells headless services' slices.
const HEADLESS: &str = "service.kubernetes.io/headless";

/// The slices of a service with these pods. One without endpoints says that there are none.
pub(super) fn of(service: &Value, chosen: &[&Value]) -> Vec<Value> {
    let mut groups: BTreeMap<String, (Vec<Value>, Vec<Value>)> = BTreeMap::new();
    for pod in chosen {
        let ports = pods::ports(pod, service);
        let (_, endpoints) = groups.entry(json!(ports).to_string()).or_insert_with(|| (ports, Vec::new()));
        endpoints.push(pods::endpoint(pod, service));
    }
    if groups.is_empty() {
        groups.insert(String::new(), (Vec::new(), Vec::new()));
    }
    let mut slices = Vec::new();
    for (text, (ports, mut endpoints)) in groups {
        endpoints.sort_by_key(|endpoint| endpoint["addresses"].to_string());
        let chunks: Vec<&[Value]> = if endpoints.is_empty() { vec![&[]] } else { endpoints.chunks(MOST).collect() };
        for (number, chunk) in chunks.into_iter().enumerate() {
            slices.push(slice(service, &format!("{text}{number}"), &ports, chunk));
        }
    }
    slices
}

/// One slice. Its name comes from what it is for, so that doing it twice makes no second one.
fn slice(service: &Value, purpose: &str, ports: &[Value], endpoints: &[Value]) -> Value {
    let meta = Meta(service);
    let mut labels = meta.labels().as_object().cloned().unwrap_or_default();
    labels.insert(SERVICE.to_owned(), json!(meta.name()));
    labels.insert(MANAGED_BY.to_owned(), json!(US));
    if text(service, &["spec", "clusterIP"]) == "None" {
        labels.insert(HEADLESS.to_owned(), json!(""));
    }
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {
            "name": format!("{}-{}", meta.name(), hash::short(&format!("{}/{purpose}", meta.uid()), 8)),
            "namespace": meta.namespace(),
            "labels": labels,
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Service", "name": meta.name(), "uid": meta.uid(),
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": ports,
    })
}
