//! The decision: what to do next for one pod, and what its status says.

mod backoff;
mod forward;
mod probing;
mod stopping;

use crate::observed::{Ended, Observed, ProbeKind};
use crate::spec::Pod;
use crate::status;
use emberyard_model::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// One thing the agent shall do. Each is given out once; its outcome comes back through [`Observed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make all volumes ready.
    PrepareVolumes,
    /// Make the pod's namespaces and network.
    CreateSandbox,
    /// Find a container's image.
    ResolveImage {
        /// The container.
        container: String,
    },
    /// Start a container.
    Start {
        /// The container.
        container: String,
        /// Number of this run, from 0.
        attempt: u32,
    },
    /// Try a probe.
    Probe {
        /// The container.
        container: String,
        /// Which probe.
        kind: ProbeKind,
        /// The run it asks about.
        attempt: u32,
    },
    /// Run the preStop hook.
    PreStop {
        /// The container.
        container: String,
        /// The run.
        attempt: u32,
        /// The time it may take.
        within: Duration,
    },
    /// Send a signal to a container's first process (KILL: to all of its processes).
    Signal {
        /// The container.
        container: String,
        /// The run.
        attempt: u32,
        /// Which.
        signal: Signal,
    },
    /// Take namespaces and network down.
    StopSandbox,
    /// Remove volumes that live as long as the pod.
    ReleaseVolumes,
    /// Delete the object with grace 0 after a last status.
    Finalize,
}

/// Signals an agent sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Please end.
    Term,
    /// End.
    Kill,
}

/// Something to tell people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whether something is wrong.
    pub warning: bool,
    /// The machine word.
    pub reason: &'static str,
    /// The text.
    pub message: String,
}

impl Event {
    /// Something usual.
    pub fn normal(reason: &'static str, message: String) -> Self {
        Self { warning: false, reason, message }
    }

    /// Something wrong.
    pub fn warning(reason: &'static str, message: String) -> Self {
        Self { warning: true, reason, message }
    }
}

/// What to do now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// Things to do, in order.
    pub actions: Vec<Action>,
    /// Things to tell.
    pub events: Vec<Event>,
    /// The pod's whole status as it is now.
    pub status: Value,
    /// When to decide again if nothing happens before.
    pub wake: Option<Timestamp>,
}

impl Decision {
    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Asks for another decision at `at`, if none is due sooner.
    fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |w| w.min(at)));
    }
}

/// Decides. What is given out as an [`Action`] is marked as under way in `observed`, so that the next call does not
/// give it out again.
pub fn plan(pod: &Pod, observed: &mut Observed, now: Timestamp) -> Decision {
    let mut decision = Decision::default();
    let accepted = *observed.accepted.get_or_insert(now);
    if (pod.is_deleting() || observed.object_gone) && observed.deletion_seen.is_none() {
        observed.deletion_seen = Some(now);
    }
    if let Some(seconds) = pod.spec.active_deadline_seconds
        && observed.ended.is_none()
        && !status::is_finished(pod, observed)
    {
        let deadline = accepted.plus(Duration::from_secs(seconds));
        if now >= deadline {
            observed.ended = Some(Ended {
                reason: "DeadlineExceeded".into(),
                message: "Pod was active on the node longer than the specified deadline".into(),
            });
        } else {
            decision.wake_at(deadline);
        }
    }
    if observed.deletion_seen.is_some() || observed.ended.is_some() || status::is_finished(pod, observed) {
        stopping::tear_down(pod, observed, now, &mut decision);
    } else {
        forward::bring_up(pod, observed, now, &mut decision);
    }
    decision.status = status::report(pod, observed, now);
    decision
}
