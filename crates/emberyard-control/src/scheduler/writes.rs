//! What the scheduler writes: bindings, conditions, events.

use super::pod::PodInfo;
use crate::resources;
use emberyard_model::Timestamp;
use emberyard_object::ApiRequest;
use serde_json::{Value, json};

const NAME: &str = "default-scheduler";

/// Binds the pod to the node, only if it is still this pod.
pub(super) fn binding(pod: &PodInfo, node: &str) -> ApiRequest {
    let body = json!({
        "apiVersion": "v1", "kind": "Binding",
        "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    });
    ApiRequest::create_sub(&resources::pods(), (Some(&pod.namespace), &pod.name), "binding", body)
}

/// Says in the pod's status why it waits.
pub(super) fn unschedulable(pod: &PodInfo, message: &str, now: Timestamp) -> ApiRequest {
    let body = json!({
        "metadata": {"uid": pod.uid},
        "status": {"conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
            "lastTransitionTime": now.rfc3339(), "lastProbeTime": null,
        }]},
    });
    ApiRequest::patch_strategic_status(&resources::pods(), (Some(&pod.namespace), &pod.name), body)
}

/// An event about the pod.
pub(super) fn event(pod: &PodInfo, good: bool, message: &str, now: Timestamp, number: u64) -> ApiRequest {
    let (type_, reason) = if good { ("Normal", "Scheduled") } else { ("Warning", "FailedScheduling") };
    let body: Value = json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": format!("{}.{number:016x}", pod.name), "namespace": pod.namespace},
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid,
        },
        "type": type_, "reason": reason, "message": message, "action": if good { "Binding" } else { "Scheduling" },
        "firstTimestamp": now.rfc3339(), "lastTimestamp": now.rfc3339(), "count": 1,
        "source": {"component": NAME}, "reportingComponent": NAME, "reportingInstance": NAME,
    });
    ApiRequest::create(&resources::events(), Some(&pod.namespace), body)
}
