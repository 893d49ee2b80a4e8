//! The downward API: fields of the pod and resources of its containers as text.

use crate::error::PodError;
use crate::facts::Facts;
use crate::spec::{Container, Pod, ResourceFieldRef};
use emberyard_model::Quantity;
use std::collections::BTreeMap;

/// The value of a field path such as `metadata.name`, `metadata.labels['app']`, `status.podIP`.
///
/// # Errors
/// [`PodError::Field`] for a path the API does not allow.
pub fn field(pod: &Pod, facts: &Facts, path: &str) -> Result<String, PodError> {
    let ip = |ip: Option<std::net::Ipv4Addr>| ip.map(|i| i.to_string()).unwrap_or_default();
    let meta = &pod.metadata;
    Ok(match path {
        "metadata.name" => meta.name.clone(),
        "metadata.namespace" => meta.namespace.clone(),
        "metadata.uid" => meta.uid.clone(),
        "metadata.labels" => lines(&meta.labels),
        "metadata.annotations" => lines(&meta.annotations),
        "spec.nodeName" => facts.node_name.clone(),
        "spec.serviceAccountName" => pod.spec.service_account_name.clone(),
        "status.hostIP" | "status.hostIPs" => ip(facts.host_ip),
        "status.podIP" | "status.podIPs" => ip(facts.pod_ip),
        _ => {
            let key = |prefix: &str| path.strip_prefix(prefix)?.strip_suffix("']");
            if let Some(key) = key("metadata.labels['") {
                meta.labels.get(key).cloned().unwrap_or_default()
            } else if let Some(key) = key("metadata.annotations['") {
                meta.annotations.get(key).cloned().unwrap_or_default()
            } else {
                return Err(PodError::Field(path.to_owned()));
            }
        }
    })
}

/// `key="value"` lines, sorted, values escaped as Go's `%q` does for what occurs in labels.
fn lines(map: &BTreeMap<String, String>) -> String {
    let line = |(k, v): (&String, &String)| format!("{k}={}", serde_json::Value::from(v.as_str()));
    map.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A resource of a container as a whole number of divisors, rounded up.
///
/// # Errors
/// [`PodError::Field`] for a resource the API does not allow, or a container that does not exist.
pub fn resource(
    pod: &Pod,
    own: Option<&Container>,
    facts: &Facts,
    wanted: &ResourceFieldRef,
) -> Result<String, PodError> {
    let bad = || PodError::Field(wanted.resource.clone());
    let named = pod.container(&wanted.container_name);
    let container = if wanted.container_name.is_empty() { own } else { named }.ok_or_else(bad)?;
    let (list, name) = wanted.resource.split_once('.').ok_or_else(bad)?;
    let set = match list {
        "limits" => container.resources.limits.get(name),
        // A limit without a request is the request.
        "requests" => container.resources.requests.get(name).or(container.resources.limits.get(name)),
        _ => return Err(bad()),
    };
    let all_of_node = || match (list, name) {
        ("limits", "cpu") => Some(Quantity::from_milli(facts.allocatable.cpu.0 as i64)),
        ("limits", "memory") => Some(Quantity::from_units(facts.allocatable.memory.0 as i64)),
        (_, "cpu" | "memory" | "ephemeral-storage") => Some(Quantity::ZERO),
        _ => None,
    };
    let quantity = set.copied().or_else(all_of_node).ok_or_else(bad)?;
    let divisor = wanted.divisor.filter(|d| *d != Quantity::ZERO).unwrap_or(Quantity::from_units(1));
    // CPU is counted in thousandths, the rest in whole units.
    let (value, by) =
        if name == "cpu" { (quantity.milli(), divisor.milli()) } else { (quantity.units(), divisor.units()) };
    let by = by.max(1);
    Ok((value.div_euclid(by) + i64::from(value.rem_euclid(by) != 0)).to_string())
}
