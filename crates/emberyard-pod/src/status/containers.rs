//! Container statuses. Every field that clients insist on is always there.

use super::{is_ready, is_started};
use crate::observed::{ContainerRecord, Exit, ImageRecord, Observed, Run, Stage};
use crate::restart::restarts;
use crate::spec::{Container, Pod, RestartPolicy};
use serde_json::{Value, json};

pub(super) fn report(pod: &Pod, observed: &Observed, containers: &[Container]) -> Value {
    let empty = ContainerRecord::default();
    let one = |c: &Container| status(pod, observed, c, observed.containers.get(&c.name).unwrap_or(&empty));
    Value::Array(containers.iter().map(one).collect())
}

fn status(pod: &Pod, observed: &Observed, container: &Container, record: &ContainerRecord) -> Value {
    let image_id = match &record.image {
        ImageRecord::Known { id } => id.as_str(),
        _ => "",
    };
    let init = pod.spec.init_containers.iter().any(|c| c.name == container.name) && !container.is_sidecar();
    let finished_init = init && matches!(&record.run, Run::Exited(exit) if exit.code == 0);
    let mut status = json!({
        "name": container.name,
        "image": container.image,
        "imageID": image_id,
        "ready": is_ready(container, record) && !init || finished_init,
        "started": is_started(container, record),
        "restartCount": record.attempt(),
        "state": state(pod, observed, container, record),
        "lastState": match &record.last {
            Some(exit) => terminated(pod, container, exit),
            None => json!({}),
        },
    });
    if record.attempts > 0 && !matches!(record.run, Run::Starting | Run::Refused { .. }) {
        status["containerID"] = json!(container_id(pod, container, record.attempt()));
    }
    status
}

/// The id of one run, unique on the node.
fn container_id(pod: &Pod, container: &Container, attempt: u32) -> String {
    format!("emberyard://{}/{}/{attempt}", pod.metadata.uid, container.name)
}

fn terminated(pod: &Pod, container: &Container, exit: &Exit) -> Value {
    let mut value = json!({
        "exitCode": exit.code,
        "reason": exit.reason,
        "finishedAt": exit.finished.rfc3339(),
        "startedAt": exit.started.unwrap_or(exit.finished).rfc3339(),
        "containerID": container_id(pod, container, exit.attempt),
    });
    if !exit.message.is_empty() {
        value["message"] = json!(exit.message);
    }
    if let Some(signal) = exit.signal {
        value["signal"] = json!(signal);
    }
    json!({"terminated": value})
}

fn waiting(reason: &str, message: Option<&str>) -> Value {
    match message {
        Some(message) => json!({"waiting": {"reason": reason, "message": message}}),
        None => json!({"waiting": {"reason": reason}}),
    }
}

fn state(pod: &Pod, observed: &Observed, container: &Container, record: &ContainerRecord) -> Value {
    match &record.run {
        Run::Running { started } => json!({"running": {"startedAt": started.rfc3339()}}),
        Run::Exited(exit) => exited(pod, observed, container, record, exit),
        Run::Refused { reason, message, .. } => waiting(reason, Some(message)),
        Run::Starting => waiting("ContainerCreating", None),
        Run::None if told_as_final(pod) => lost(pod, container),
        Run::None => match (&record.image, &observed.volumes, &observed.sandbox) {
            (ImageRecord::Failed { message, tries, .. }, ..) => {
                waiting(if *tries > 1 { "ImagePullBackOff" } else { "ErrImagePull" }, Some(message))
            }
            _ if !pod.spec.init_containers.is_empty() && is_app(pod, container) => waiting("PodInitializing", None),
            (_, Stage::Failed { message, .. }, _) | (_, _, Stage::Failed { message, .. }) => {
                waiting("ContainerCreating", Some(message))
            }
            _ => waiting("ContainerCreating", None),
        },
    }
}

/// Whether the pod is over by what was told of it, also if nothing is known of its containers here.
fn told_as_final(pod: &Pod) -> bool {
    matches!(pod.status["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// How a container ended that was lost with its node: as it was told before, else that nobody knows, in a kubelet's words.
fn lost(pod: &Pod, container: &Container) -> Value {
    let lists = ["containerStatuses", "initContainerStatuses"].map(|list| pod.status[list].as_array());
    let mut told = lists.into_iter().flatten().flatten().filter(|one| one["name"] == container.name.as_str());
    match told.next().map(|one| &one["state"]) {
        Some(state) if state["terminated"].is_object() => state.clone(),
        _ => json!({"terminated": {
            "exitCode": 137,
            "reason": "ContainerStatusUnknown",
            "message": "The container could not be located when the pod was terminated",
            "startedAt": null,
            "finishedAt": null,
        }}),
    }
}

fn is_app(pod: &Pod, container: &Container) -> bool {
    pod.spec.containers.iter().any(|c| c.name == container.name)
}

/// A container that ended and will be started again after a wait says so.
fn exited(pod: &Pod, observed: &Observed, container: &Container, record: &ContainerRecord, exit: &Exit) -> Value {
    let policy = match (is_app(pod, container), container.is_sidecar()) {
        (_, true) => RestartPolicy::Always,
        (true, _) => pod.spec.restart_policy,
        (false, _) if pod.spec.restart_policy == RestartPolicy::Never => RestartPolicy::Never,
        (false, _) => RestartPolicy::OnFailure,
    };
    let ending = observed.deletion_seen.is_some() || observed.ended.is_some();
    if ending || record.crashes == 0 || !restarts(policy, exit) {
        return terminated(pod, container, exit);
    }
    let message = format!(
        "back-off restarting failed container={} pod={}_{}({})",
        container.name, pod.metadata.name, pod.metadata.namespace, pod.metadata.uid
    );
    waiting("CrashLoopBackOff", Some(&message))
}
