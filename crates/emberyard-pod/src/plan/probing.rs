//! When to try which probe, and what follows from a failure.

use super::{Action, Decision, Event, stopping};
use crate::observed::{ContainerRecord, ProbeKind, Run};
use crate::spec::{Container, Pod, Probe};
use emberyard_model::Timestamp;
use std::time::Duration;

/// The container's probe of that kind.
fn of(container: &Container, kind: ProbeKind) -> Option<&Probe> {
    match kind {
        ProbeKind::Startup => container.startup_probe.as_ref(),
        ProbeKind::Liveness => container.liveness_probe.as_ref(),
        ProbeKind::Readiness => container.readiness_probe.as_ref(),
    }
}

pub(super) fn run(
    pod: &Pod,
    container: &Container,
    record: &mut ContainerRecord,
    now: Timestamp,
    decision: &mut Decision,
) {
    let Run::Running { started } = record.run else { return };
    for kind in [ProbeKind::Startup, ProbeKind::Liveness, ProbeKind::Readiness] {
        let Some(probe) = of(container, kind) else { continue };
        let attempt = record.attempt();
        let first = started.plus(Duration::from_secs(probe.initial_delay_seconds));
        let state = record.probes.entry(kind).or_default();
        if kind == ProbeKind::Startup && state.passed == Some(true) {
            continue;
        }
        if kind != ProbeKind::Readiness && state.passed == Some(false) {
            let grace = probe.termination_grace_period_seconds.map_or_else(|| pod.grace(), Duration::from_secs);
            decision.events.push(Event::normal(
                "Killing",
                format!(
                    "Container {} failed {} probe, will be restarted",
                    container.name,
                    kind.title().to_ascii_lowercase()
                ),
            ));
            stopping::begin(container, record, grace, now);
            stopping::advance(container, record, now, decision);
            return;
        }
        if !state.busy {
            let due = state.due.max(first);
            if now >= due {
                state.busy = true;
                state.due = now.plus(probe.period());
                decision.act(Action::Probe { container: container.name.clone(), kind, attempt });
            } else {
                decision.wake_at(due);
            }
        }
        if kind == ProbeKind::Startup {
            return;
        }
    }
}
