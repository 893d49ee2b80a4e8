//! `/stats/summary`: what the pods use, as far as control groups tell.

use super::registry::{PodView, Registry};
use crate::agent::{Node, memory_used};
use emberyard_sandbox::PodSandbox;
use serde_json::{Value, json};

/// The figures of node and pods.
pub(super) fn summary(node: &Node, registry: &Registry) -> Value {
    let now = node.now().rfc3339();
    let pods: Vec<Value> = registry.all().iter().map(|pod| one(pod, &now)).collect();
    json!({"node": {"nodeName": node.name(), "startTime": now, "systemContainers": []}, "pods": pods})
}

fn one(pod: &PodView, now: &str) -> Value {
    let states = pod.sandbox.as_ref().and_then(|s: &PodSandbox| s.list().ok()).unwrap_or_default();
    let containers: Vec<Value> = states
        .iter()
        .filter(|state| state.ended.is_none())
        .map(|state| {
            let used = memory_used(state);
            json!({"name": state.name, "startTime": state.started.rfc3339(),
                "memory": {"time": now, "workingSetBytes": used.unwrap_or_default()}})
        })
        .collect();
    let meta = &pod.object["metadata"];
    json!({"podRef": {"name": meta["name"], "namespace": meta["namespace"], "uid": pod.uid},
        "startTime": pod.object["status"]["startTime"], "containers": containers})
}
