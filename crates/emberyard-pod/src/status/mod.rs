//! The pod's status, complete: phase, conditions, container statuses, addresses.

mod conditions;
mod containers;
mod qos;

pub use qos::{Qos, qos};

use crate::observed::{ContainerRecord, Observed, ProbeKind, Run, Stage};
use crate::restart::restarts;
use crate::spec::{Container, Pod, RestartPolicy};
use emberyard_model::Timestamp;
use serde_json::{Value, json};

/// Where a pod stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not all containers have been started yet.
    Pending,
    /// At least one runs, or will be started again.
    Running,
    /// All ended with exit code 0 and stay so.
    Succeeded,
    /// All ended, at least one badly, and stay so.
    Failed,
}

impl Phase {
    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// The phase by the containers' states.
pub fn phase(pod: &Pod, observed: &Observed) -> Phase {
    // What was told once as final stays: the API server refuses the way back.
    match pod.status["phase"].as_str() {
        Some("Succeeded") => return Phase::Succeeded,
        Some("Failed") => return Phase::Failed,
        _ => {}
    }
    let record = |c: &Container| observed.containers.get(&c.name);
    let live = pod.all_containers().filter_map(record).any(ContainerRecord::is_live);
    if (observed.ended.is_some() || observed.deletion_seen.is_some()) && !live {
        let all_well = observed.ended.is_none()
            && !pod.spec.containers.is_empty()
            && pod.spec.containers.iter().all(|c| exit_code(observed, c) == Some(0));
        let began = pod.all_containers().filter_map(record).any(|r| r.attempts > 0);
        return match (all_well, began || observed.ended.is_some()) {
            (true, _) => Phase::Succeeded,
            (false, true) => Phase::Failed,
            (false, false) => Phase::Pending,
        };
    }
    for container in pod.spec.init_containers.iter().filter(|c| !c.is_sidecar()) {
        match record(container).map(|r| &r.run) {
            Some(Run::Exited(exit)) if exit.code == 0 => {}
            Some(Run::Exited(_)) if pod.spec.restart_policy == RestartPolicy::Never => return Phase::Failed,
            _ => return Phase::Pending,
        }
    }
    let mut codes = Vec::new();
    for container in &pod.spec.containers {
        match record(container) {
            Some(r) => match &r.run {
                Run::Running { .. } => return running(pod, observed),
                Run::Exited(exit) if restarts(pod.spec.restart_policy, exit) => return running(pod, observed),
                Run::Exited(exit) => codes.push(exit.code),
                Run::Starting if r.last.is_some() => return running(pod, observed),
                Run::None | Run::Starting | Run::Refused { .. } => return Phase::Pending,
            },
            None => return Phase::Pending,
        }
    }
    if codes.iter().all(|code| *code == 0) { Phase::Succeeded } else { Phase::Failed }
}

/// Running, unless another container has never been started.
fn running(pod: &Pod, observed: &Observed) -> Phase {
    let waits = |c: &Container| match observed.containers.get(&c.name) {
        Some(record) => record.last.is_none() && matches!(record.run, Run::None | Run::Starting | Run::Refused { .. }),
        None => true,
    };
    if pod.spec.containers.iter().any(waits) { Phase::Pending } else { Phase::Running }
}

fn exit_code(observed: &Observed, container: &Container) -> Option<i32> {
    match &observed.containers.get(&container.name)?.run {
        Run::Exited(exit) => Some(exit.code),
        _ => None,
    }
}

/// Whether nothing of the pod will ever run again by itself.
pub fn is_finished(pod: &Pod, observed: &Observed) -> bool {
    matches!(phase(pod, observed), Phase::Succeeded | Phase::Failed)
}

/// Whether a container is up: running, and past its startup probe.
pub fn is_started(container: &Container, record: &ContainerRecord) -> bool {
    matches!(record.run, Run::Running { .. })
        && (container.startup_probe.is_none() || passed(record, ProbeKind::Startup))
}

/// Whether a container can serve.
pub fn is_ready(container: &Container, record: &ContainerRecord) -> bool {
    is_started(container, record) && (container.readiness_probe.is_none() || passed(record, ProbeKind::Readiness))
}

fn passed(record: &ContainerRecord, kind: ProbeKind) -> bool {
    record.probes.get(&kind).and_then(|p| p.passed).unwrap_or_default()
}

/// The whole status. Deterministic: equal observations give equal values, so that nothing is patched in vain.
pub fn report(pod: &Pod, observed: &mut Observed, now: Timestamp) -> Value {
    let phase = phase(pod, observed);
    let mut status = json!({
        "phase": phase.as_str(),
        "conditions": conditions::report(pod, observed, phase, now),
        "qosClass": qos(pod).as_str(),
        "containerStatuses": containers::report(pod, observed, &pod.spec.containers),
    });
    if !pod.spec.init_containers.is_empty() {
        status["initContainerStatuses"] = containers::report(pod, observed, &pod.spec.init_containers);
    }
    if let Some(accepted) = observed.accepted {
        status["startTime"] = json!(accepted.rfc3339());
    }
    if let Some(ip) = observed.host_ip {
        status["hostIP"] = json!(ip.to_string());
        status["hostIPs"] = json!([{"ip": ip.to_string()}]);
    }
    // Like a kubelet: the address is told once the pod's network exists.
    if let Some(ip) = observed.pod_ip
        && (observed.sandbox == Stage::Ready || observed.containers.values().any(|r| r.attempts > 0))
    {
        status["podIP"] = json!(ip.to_string());
        status["podIPs"] = json!([{"ip": ip.to_string()}]);
    }
    if let Some(ended) = &observed.ended {
        status["reason"] = json!(ended.reason);
        status["message"] = json!(ended.message);
    }
    status
}
