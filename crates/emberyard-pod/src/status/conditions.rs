//! The pod's conditions.

use super::{Phase, is_ready};
use crate::observed::{ConditionRecord, Observed, Run, Stage};
use crate::spec::{Container, Pod};
use emberyard_model::Timestamp;
use serde_json::{Value, json};

/// What a condition says beside yes or no.
struct Verdict {
    kind: &'static str,
    holds: bool,
    reason: Option<&'static str>,
    message: Option<String>,
}

pub(super) fn report(pod: &Pod, observed: &mut Observed, phase: Phase, now: Timestamp) -> Value {
    let verdicts = [
        plain("PodReadyToStartContainers", observed.sandbox == Stage::Ready),
        initialized(pod, observed, phase),
        ready(pod, observed, phase, true),
        ready(pod, observed, phase, false),
        plain("PodScheduled", true),
    ];
    let mut conditions = Vec::new();
    for verdict in verdicts {
        let Verdict { kind, holds, reason, message } = verdict;
        let before = observed.conditions.get(kind);
        // The scheduler's own word on PodScheduled keeps its time.
        let told = || {
            let list = pod.status["conditions"].as_array()?;
            let same = list.iter().find(|c| c["type"] == kind && c["status"] == truth(holds))?;
            Timestamp::parse(same["lastTransitionTime"].as_str()?).ok()
        };
        let since = match before {
            Some(record) if record.holds == holds => record.since,
            Some(_) => now,
            None => told().unwrap_or(now),
        };
        observed.conditions.insert(kind.to_owned(), ConditionRecord { holds, since });
        // `null` takes an earlier reason or message away: conditions are merged, not replaced.
        conditions.push(json!({
            "type": kind, "status": truth(holds), "lastProbeTime": null, "lastTransitionTime": since.rfc3339(),
            "reason": reason, "message": message,
        }));
    }
    Value::Array(conditions)
}

fn truth(holds: bool) -> &'static str {
    if holds { "True" } else { "False" }
}

fn plain(kind: &'static str, holds: bool) -> Verdict {
    Verdict { kind, holds, reason: None, message: None }
}

fn initialized(pod: &Pod, observed: &Observed, phase: Phase) -> Verdict {
    let kind = "Initialized";
    let unfinished: Vec<&str> = pod
        .spec
        .init_containers
        .iter()
        .filter(|c| match observed.containers.get(&c.name).map(|r| &r.run) {
            Some(Run::Exited(exit)) => exit.code != 0,
            Some(Run::Running { .. }) => !c.is_sidecar(),
            _ => true,
        })
        .map(|c| c.name.as_str())
        .collect();
    if phase == Phase::Succeeded {
        return Verdict { kind, holds: true, reason: Some("PodCompleted"), message: None };
    }
    if unfinished.is_empty() || (phase == Phase::Running) {
        return plain(kind, true);
    }
    let message = format!("containers with incomplete status: [{}]", unfinished.join(" "));
    Verdict { kind, holds: false, reason: Some("ContainersNotInitialized"), message: Some(message) }
}

/// `Ready` (with the gates of others) or `ContainersReady` (without).
fn ready(pod: &Pod, observed: &Observed, phase: Phase, with_gates: bool) -> Verdict {
    let kind = if with_gates { "Ready" } else { "ContainersReady" };
    let no = |reason, message| Verdict { kind, holds: false, reason: Some(reason), message };
    match phase {
        Phase::Succeeded => return no("PodCompleted", None),
        Phase::Failed => return no("PodFailed", None),
        Phase::Pending | Phase::Running => {}
    }
    let serves = |c: &&Container| observed.containers.get(&c.name).is_some_and(|r| is_ready(c, r));
    let sidecars = pod.spec.init_containers.iter().filter(|c| c.is_sidecar());
    let unready: Vec<&str> =
        pod.spec.containers.iter().chain(sidecars).filter(|c| !serves(c)).map(|c| c.name.as_str()).collect();
    if !unready.is_empty() {
        return no("ContainersNotReady", Some(format!("containers with unready status: [{}]", unready.join(" "))));
    }
    let holds = |gate: &str| {
        let list = pod.status["conditions"].as_array();
        list.is_some_and(|l| l.iter().any(|c| c["type"] == gate && c["status"] == "True"))
    };
    let missing = pod.spec.readiness_gates.iter().find(|g| with_gates && !holds(&g.condition_type));
    match missing {
        Some(gate) => no(
            "ReadinessGatesNotReady",
            Some(format!("corresponding condition of pod readiness gate \"{}\" does not exist.", gate.condition_type)),
        ),
        None => plain(kind, true),
    }
}
