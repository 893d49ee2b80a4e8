//! A pod as an endpoint.

use crate::trim;
use emberyard_object::view::{PodView, list, text};
use serde_json::{Value, json};

/// What of a pod matters to its services.
pub(super) fn keep(pod: &Value) -> Value {
    let mut kept = trim::only(
        pod,
        &[
            &["metadata", "name"],
            &["metadata", "namespace"],
            &["metadata", "uid"],
            &["metadata", "resourceVersion"],
            &["metadata", "labels"],
            &["metadata", "deletionTimestamp"],
            &["spec", "nodeName"],
            &["spec", "hostname"],
            &["spec", "subdomain"],
            &["status", "phase"],
            &["status", "podIP"],
        ],
    );
    let ports = |container: &Value| json!({"ports": list(container, &["ports"])});
    kept["spec"]["containers"] = PodView(pod).containers().iter().map(ports).collect();
    kept["status"]["conditions"] =
        json!([{"type": "Ready", "status": if PodView(pod).is_ready() { "True" } else { "False" }}]);
    kept
}

/// Whether the pod is an endpoint of the services that select it: it has an address and has not ended.
pub(super) fn belongs(pod: &Value) -> bool {
    !PodView(pod).is_finished() && !PodView(pod).ip().is_empty()
}

/// The endpoint. A pod on its way out may still serve, but is not ready for anything new.
pub(super) fn endpoint(pod: &Value, service: &Value) -> Value {
    let (view, meta) = (PodView(pod), PodView(pod).meta());
    let early = service["spec"]["publishNotReadyAddresses"] == json!(true);
    let (serving, going) = (view.is_ready(), meta.is_deleting());
    let mut endpoint = json!({
        "addresses": [view.ip()],
        "conditions": {"ready": early || serving && !going, "serving": serving, "terminating": going},
        "targetRef": {"kind": "Pod", "namespace": meta.namespace(), "name": meta.name(), "uid": meta.uid()},
    });
    if !view.node_name().is_empty() {
        endpoint["nodeName"] = json!(view.node_name());
    }
    let hostname = text(pod, &["spec", "hostname"]);
    if !hostname.is_empty() && text(pod, &["spec", "subdomain"]) == text(service, &["metadata", "name"]) {
        endpoint["hostname"] = json!(hostname);
    }
    endpoint
}

/// The service's ports as this pod has them: numbers where the service names a container's port. A port that the pod does not have is left out.
pub(super) fn ports(pod: &Value, service: &Value) -> Vec<Value> {
    list(service, &["spec", "ports"]).iter().filter_map(|port| resolve(port, pod)).collect()
}

fn resolve(port: &Value, pod: &Value) -> Option<Value> {
    let protocol = match text(port, &["protocol"]) {
        "" => "TCP",
        protocol => protocol,
    };
    let number = match port.get("targetPort") {
        Some(Value::Number(number)) => number.as_u64()?,
        Some(Value::String(name)) => named(pod, name, protocol)?,
        _ => port.get("port")?.as_u64()?,
    };
    let mut resolved = json!({"name": text(port, &["name"]), "protocol": protocol, "port": number});
    if let Some(application) = port.get("appProtocol") {
        resolved["appProtocol"] = application.clone();
    }
    Some(resolved)
}

fn named(pod: &Value, name: &str, protocol: &str) -> Option<u64> {
    PodView(pod)
        .containers()
        .iter()
        .flat_map(|container| list(container, &["ports"]))
        .find(|port| {
            text(port, &["name"]) == name
                && matches!(text(port, &["protocol"]), p if p == protocol || p.is_empty() && protocol == "TCP")
        })?
        .get("containerPort")?
        .as_u64()
}
