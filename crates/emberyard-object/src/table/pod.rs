//! Cells of pods and nodes.

use super::cell::{age, joined, or_none};
use crate::view::{NodeView, PodView, at, list, text};
use emberyard_model::Timestamp;
use serde_json::Value;

/// The STATUS column: the phase, or what better says where the pod stands.
pub fn status(pod: &Value) -> String {
    let view = PodView(pod);
    let mut reason = match text(pod, &["status", "reason"]) {
        "" => view.phase().to_owned(),
        reason => reason.to_owned(),
    };
    let gated = view.condition("PodScheduled").is_some_and(|c| text(c, &["reason"]) == "SchedulingGated");
    if gated {
        "SchedulingGated".clone_into(&mut reason);
    }
    if let Some(initializing) = init_status(view) {
        reason = initializing;
    } else {
        reason = container_status(view, reason);
    }
    if !view.meta().is_deleting() {
        return reason;
    }
    match text(pod, &["status", "reason"]) {
        "NodeLost" => "Unknown".to_owned(),
        _ if view.is_finished() => reason,
        _ => "Terminating".to_owned(),
    }
}

/// What holds back the init containers; `None` when all have done their part.
fn init_status(pod: PodView<'_>) -> Option<String> {
    let specs = pod.init_containers();
    for (index, status) in list(pod.0, &["status", "initContainerStatuses"]).iter().enumerate() {
        let name = text(status, &["name"]);
        let spec = specs.iter().find(|spec| text(spec, &["name"]) == name);
        let sidecar = spec.is_some_and(|spec| text(spec, &["restartPolicy"]) == "Always");
        if let Some(ended) = at(status, &["state", "terminated"]) {
            if ended["exitCode"].as_i64() == Some(0) {
                continue;
            }
            return Some(format!("Init:{}", ended_reason(ended)));
        }
        if sidecar && status["started"].as_bool() == Some(true) {
            continue;
        }
        return Some(match text(status, &["state", "waiting", "reason"]) {
            "" | "PodInitializing" => format!("Init:{index}/{}", specs.len()),
            waiting => format!("Init:{waiting}"),
        });
    }
    None
}

fn container_status(pod: PodView<'_>, phase: String) -> String {
    let mut reason = phase;
    let mut running = false;
    for status in list(pod.0, &["status", "containerStatuses"]).iter().rev() {
        let waiting = text(status, &["state", "waiting", "reason"]);
        if !waiting.is_empty() {
            waiting.clone_into(&mut reason);
        } else if let Some(ended) = at(status, &["state", "terminated"]) {
            reason = ended_reason(ended);
        } else if is_running(status) {
            running = true;
        }
    }
    if reason == "Completed" && running {
        return if pod.is_ready() { "Running".to_owned() } else { "NotReady".to_owned() };
    }
    reason
}

fn ended_reason(ended: &Value) -> String {
    let signal = ended["signal"].as_i64().unwrap_or(0);
    match text(ended, &["reason"]) {
        "" if signal != 0 => format!("Signal:{signal}"),
        "" => format!("ExitCode:{}", ended["exitCode"].as_i64().unwrap_or(0)),
        reason => reason.to_owned(),
    }
}

fn is_running(status: &Value) -> bool {
    status["ready"].as_bool() == Some(true) && at(status, &["state", "running"]).is_some()
}

/// Names of the init containers that stay beside the others.
fn sidecars(pod: &Value) -> Vec<&str> {
    let specs = list(pod, &["spec", "initContainers"]).iter();
    specs.filter(|spec| text(spec, &["restartPolicy"]) == "Always").map(|spec| text(spec, &["name"])).collect()
}

/// Statuses of the containers that are to run until the pod ends.
fn lasting(pod: &Value) -> impl Iterator<Item = &Value> {
    let sidecars = sidecars(pod);
    let inits = list(pod, &["status", "initContainerStatuses"]).iter();
    inits
        .filter(move |status| sidecars.contains(&text(status, &["name"])))
        .chain(list(pod, &["status", "containerStatuses"]))
}

/// The READY column.
pub fn ready(pod: &Value) -> String {
    let total = list(pod, &["spec", "containers"]).len() + sidecars(pod).len();
    format!("{}/{total}", lasting(pod).filter(|status| is_running(status)).count())
}

/// The RESTARTS column.
pub fn restarts(pod: &Value, now: Timestamp) -> String {
    let initializing = init_status(PodView(pod)).is_some();
    let statuses: Vec<&Value> = if initializing {
        list(pod, &["status", "initContainerStatuses"]).iter().collect()
    } else {
        lasting(pod).collect()
    };
    let count: i64 = statuses.iter().filter_map(|status| status["restartCount"].as_i64()).sum();
    let last =
        statuses.iter().map(|status| text(status, &["lastState", "terminated", "finishedAt"])).max().unwrap_or("");
    if count > 0 && !last.is_empty() { format!("{count} ({} ago)", age(last, now)) } else { count.to_string() }
}

/// The READINESS GATES column.
pub fn readiness_gates(pod: &Value) -> String {
    let gates = list(pod, &["spec", "readinessGates"]);
    let open = gates.iter().filter(|gate| {
        let condition = PodView(pod).condition(text(gate, &["conditionType"]));
        condition.is_some_and(|condition| text(condition, &["status"]) == "True")
    });
    if gates.is_empty() { or_none("") } else { format!("{}/{}", open.count(), gates.len()) }
}

/// The STATUS column of nodes.
pub fn node_status(node: &Value) -> String {
    let view = NodeView(node);
    let mut status = match view.condition("Ready").map(|condition| text(condition, &["status"])) {
        Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if view.is_unschedulable() {
        status.push_str(",SchedulingDisabled");
    }
    status
}

/// The ROLES column of nodes.
pub fn node_roles(node: &Value) -> String {
    let labels = at(node, &["metadata", "labels"]).and_then(Value::as_object).into_iter().flatten();
    joined(labels.filter_map(|(key, value)| {
        if key == "kubernetes.io/role" {
            return value.as_str().map(str::to_owned);
        }
        key.strip_prefix("node-role.kubernetes.io/").filter(|role| !role.is_empty()).map(str::to_owned)
    }))
}

/// An address of a node, `<none>` if it has none of the type.
pub fn node_address(node: &Value, type_: &str) -> String {
    or_none(NodeView(node).address(type_))
}

/// Something a node says of its machine, `<unknown>` if nothing.
pub fn node_info(node: &Value, field: &str) -> String {
    match text(node, &["status", "nodeInfo", field]) {
        "" => "<unknown>".to_owned(),
        info => info.to_owned(),
    }
}
