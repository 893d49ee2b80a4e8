//! Ending: preStop, SIGTERM, SIGKILL, then sandbox, volumes and the object itself.

use super::{Action, Decision, Event, Signal};
use crate::observed::{ContainerRecord, Hook, Observed, Run, Stage, Stop};
use crate::spec::{Container, Pod};
use emberyard_model::Timestamp;
use std::time::Duration;

/// A SIGKILL that showed no effect is sent again after this.
const KILL_AGAIN: Duration = Duration::from_secs(2);

/// Begins a container's ending.
pub(super) fn begin(container: &Container, record: &mut ContainerRecord, grace: Duration, now: Timestamp) {
    if record.stop.is_none() {
        let hook = if container.lifecycle.pre_stop.is_some() && !grace.is_zero() { Hook::Due } else { Hook::Done };
        record.stop = Some(Stop { since: now, grace, hook, termed: false, killed: None });
    }
}

/// Takes a container's ending one step on.
pub(super) fn advance(container: &Container, record: &mut ContainerRecord, now: Timestamp, decision: &mut Decision) {
    if !matches!(record.run, Run::Running { .. }) {
        return;
    }
    let attempt = record.attempt();
    let Some(stop) = &mut record.stop else { return };
    let name = container.name.clone();
    let deadline = stop.since.plus(stop.grace);
    if now >= deadline {
        // A hook that used up the whole grace still leaves two seconds for SIGTERM, as a kubelet does.
        let last = if stop.hook == Hook::Busy && !stop.termed {
            stop.hook = Hook::Done;
            stop.termed = true;
            stop.grace += KILL_AGAIN;
            decision.act(Action::Signal { container: name, attempt, signal: Signal::Term });
            stop.since.plus(stop.grace)
        } else {
            if stop.killed.is_none_or(|at| now >= at.plus(KILL_AGAIN)) {
                stop.killed = Some(now);
                decision.act(Action::Signal { container: name, attempt, signal: Signal::Kill });
            }
            now.plus(KILL_AGAIN)
        };
        return decision.wake_at(last);
    }
    match stop.hook {
        Hook::Due => {
            stop.hook = Hook::Busy;
            decision.act(Action::PreStop { container: name, attempt, within: stop.grace });
        }
        Hook::Busy => {}
        Hook::Done if !stop.termed => {
            stop.termed = true;
            decision.act(Action::Signal { container: name, attempt, signal: Signal::Term });
        }
        Hook::Done => {}
    }
    decision.wake_at(deadline);
}

/// Ends the whole pod: containers, then sidecars (the last first), then what was made for them.
pub(super) fn tear_down(pod: &Pod, observed: &mut Observed, now: Timestamp, decision: &mut Decision) {
    let grace = if observed.object_gone { Duration::ZERO } else { pod.grace() };
    let grace = observed.ended.as_ref().map_or(grace, |ended| grace.min(ended.grace()));
    let spent = observed.deletion_seen.map_or(Duration::ZERO, |seen| now.since(seen));
    let main = pod.spec.containers.iter().chain(pod.spec.init_containers.iter().filter(|c| !c.is_sidecar()));
    let mut live = false;
    for container in main {
        live |= end(container, observed, grace, now, decision);
    }
    for container in pod.spec.init_containers.iter().rev().filter(|c| c.is_sidecar()) {
        if !live {
            live |= end(container, observed, grace.saturating_sub(spent), now, decision);
        }
    }
    if live {
        return;
    }
    match &observed.sandbox {
        Stage::Ready | Stage::Failed { .. } => {
            observed.sandbox = Stage::Busy { tries: 0 };
            return decision.act(Action::StopSandbox);
        }
        Stage::Busy { .. } => return,
        Stage::Absent | Stage::Gone => {}
    }
    match &observed.volumes {
        Stage::Ready | Stage::Failed { .. } => {
            observed.volumes = Stage::Busy { tries: 0 };
            return decision.act(Action::ReleaseVolumes);
        }
        Stage::Busy { .. } => return,
        Stage::Absent | Stage::Gone => {}
    }
    if observed.deletion_seen.is_some() && !observed.finalizing {
        observed.finalizing = true;
        decision.act(Action::Finalize);
    }
}

/// Ends one container; `true` while a process may still be there.
fn end(
    container: &Container,
    observed: &mut Observed,
    grace: Duration,
    now: Timestamp,
    decision: &mut Decision,
) -> bool {
    let told = observed.ended.is_some() || observed.deletion_seen.is_some();
    let Some(record) = observed.containers.get_mut(&container.name) else { return false };
    if !record.is_live() {
        return false;
    }
    match &mut record.stop {
        None => {
            if told && matches!(record.run, Run::Running { .. }) {
                decision.events.push(Event::normal("Killing", format!("Stopping container {}", container.name)));
            }
            begin(container, record, grace, now);
        }
        // A later deletion may shorten the grace (kubectl delete --now), never lengthen it.
        Some(stop) => stop.grace = stop.grace.min(now.since(stop.since) + grace),
    }
    advance(container, record, now, decision);
    true
}
