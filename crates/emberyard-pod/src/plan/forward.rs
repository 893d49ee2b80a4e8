//! Bringing a pod up and keeping it up: volumes, sandbox, images, init containers in order, containers, restarts.

use super::{Action, Decision, Event, backoff, probing, stopping};
use crate::observed::{ContainerRecord, ImageRecord, Observed, Run, Stage};
use crate::restart::restarts;
use crate::spec::{Container, Pod, RestartPolicy};
use crate::status;
use emberyard_model::Timestamp;

pub(super) fn bring_up(pod: &Pod, observed: &mut Observed, now: Timestamp, decision: &mut Decision) {
    for container in pod.all_containers() {
        image(container, observed.container(&container.name), now, decision);
    }
    if !prepared(&mut observed.volumes, Action::PrepareVolumes, now, decision) {
        return;
    }
    // Whose uid the pod has may be the image's word: the sandbox waits for the first container's image.
    let user_is_known = pod.spec.containers.first().is_none_or(|c| {
        let record = observed.containers.get(&c.name);
        record.is_some_and(|r| r.attempts > 0 || matches!(r.image, ImageRecord::Known { .. }))
    });
    if !user_is_known || !prepared(&mut observed.sandbox, Action::CreateSandbox, now, decision) {
        return;
    }
    for container in &pod.spec.init_containers {
        let record = observed.container(&container.name);
        if container.is_sidecar() {
            keep(pod, container, RestartPolicy::Always, record, now, decision);
            if !status::is_started(container, record) {
                return;
            }
        } else if !matches!(&record.run, Run::Exited(exit) if exit.code == 0) {
            // An init container that failed in a pod that never restarts fails the pod: status::is_finished says so.
            let policy = match pod.spec.restart_policy {
                RestartPolicy::Always | RestartPolicy::OnFailure => RestartPolicy::OnFailure,
                RestartPolicy::Never => RestartPolicy::Never,
            };
            keep(pod, container, policy, record, now, decision);
            return;
        }
    }
    for container in &pod.spec.containers {
        keep(pod, container, pod.spec.restart_policy, observed.container(&container.name), now, decision);
    }
}

fn prepared(stage: &mut Stage, action: Action, now: Timestamp, decision: &mut Decision) -> bool {
    match backoff::due(stage, now) {
        Ok(true) => {
            *stage = Stage::Busy { tries: stage.tries() };
            decision.act(action);
        }
        Ok(false) => {}
        Err(at) => decision.wake_at(at),
    }
    *stage == Stage::Ready
}

fn image(container: &Container, record: &mut ContainerRecord, now: Timestamp, decision: &mut Decision) {
    match &record.image {
        ImageRecord::Unknown => {}
        ImageRecord::Failed { at, tries, .. } => {
            let next = at.plus(backoff::image(*tries));
            if now < next {
                return decision.wake_at(next);
            }
        }
        ImageRecord::Busy { .. } | ImageRecord::Known { .. } => return,
    }
    record.image = ImageRecord::Busy { tries: record.image.tries() };
    decision.act(Action::ResolveImage { container: container.name.clone() });
}

/// Starts a container, keeps it probed, starts it again where its policy says so.
fn keep(
    pod: &Pod,
    container: &Container,
    policy: RestartPolicy,
    record: &mut ContainerRecord,
    now: Timestamp,
    decision: &mut Decision,
) {
    if !matches!(record.image, ImageRecord::Known { .. }) && !record.is_live() {
        return;
    }
    match &record.run {
        Run::None => start(container, record, decision),
        Run::Refused { at, .. } => {
            let next = at.plus(backoff::prepare(record.refusals));
            if now >= next { start(container, record, decision) } else { decision.wake_at(next) }
        }
        Run::Starting => {}
        Run::Running { .. } if record.stop.is_some() => {
            stopping::advance(container, record, now, decision);
        }
        Run::Running { .. } => probing::run(pod, container, record, now, decision),
        Run::Exited(exit) if restarts(policy, exit) => {
            let long = exit.started.is_some_and(|s| exit.finished.since(s) >= backoff::FORGIVEN_AFTER);
            let crashes = if long { 0 } else { record.crashes };
            let next = exit.finished.plus(backoff::restart(crashes));
            if now >= next {
                record.crashes = crashes + 1;
                start(container, record, decision);
            } else {
                decision.wake_at(next);
            }
        }
        Run::Exited(_) => {}
    }
}

fn start(container: &Container, record: &mut ContainerRecord, decision: &mut Decision) {
    if let Run::Exited(exit) = std::mem::take(&mut record.run) {
        if record.crashes > 1 {
            decision.events.push(Event::warning(
                "BackOff",
                format!("Back-off restarting failed container {}, restart {}", container.name, record.attempts),
            ));
        }
        record.last = Some(exit);
    }
    record.attempts += 1;
    record.run = Run::Starting;
    record.stop = None;
    record.probes.clear();
    decision.act(Action::Start { container: container.name.clone(), attempt: record.attempt() });
}
