//! What the agent knows of a pod: the state between two decisions, kept as a checkpoint beside the pod.

use emberyard_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Everything observed of one pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// When the agent took the pod (its `startTime`).
    pub accepted: Option<Timestamp>,
    /// The pod's address: assigned before anything starts.
    pub pod_ip: Option<Ipv4Addr>,
    /// The node's address.
    pub host_ip: Option<Ipv4Addr>,
    /// Volumes.
    pub volumes: Stage,
    /// Namespaces and network.
    pub sandbox: Stage,
    /// Each container by name.
    pub containers: BTreeMap<String, ContainerRecord>,
    /// When deletion was first seen.
    pub deletion_seen: Option<Timestamp>,
    /// The object is gone from the API server: end at once, tell nobody.
    pub object_gone: bool,
    /// The pod was ended as a whole.
    pub ended: Option<Ended>,
    /// Conditions as last reported.
    pub conditions: BTreeMap<String, ConditionRecord>,
    /// The final delete was asked for.
    pub finalizing: bool,
}

/// How far a preparation is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Not begun.
    #[default]
    Absent,
    /// Under way.
    Busy {
        /// Failures so far.
        tries: u32,
    },
    /// There.
    Ready,
    /// Did not work.
    Failed {
        /// Why.
        message: String,
        /// When.
        at: Timestamp,
        /// How often so far.
        tries: u32,
    },
    /// Taken down for good.
    Gone,
}

impl Stage {
    /// Failures so far.
    pub const fn tries(&self) -> u32 {
        match self {
            Self::Busy { tries } | Self::Failed { tries, .. } => *tries,
            Self::Absent | Self::Ready | Self::Gone => 0,
        }
    }

    /// What was under way did not work.
    pub fn fail(&mut self, message: String, at: Timestamp) {
        *self = Self::Failed { message, at, tries: self.tries() + 1 };
    }
}

/// A reason that ended the pod as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// For example `DeadlineExceeded`, `Evicted`.
    pub reason: String,
    /// For people.
    pub message: String,
}

const EVICTED: &str = "Evicted";
/// What the memory or disk of its node has left may be gone before a pod has ended in peace.
///
/// Rule source: kubelet, `immediateEvictionGracePeriodSeconds` of its hard eviction thresholds.
const EVICTION_GRACE: Duration = Duration::from_secs(1);

impl Ended {
    /// The pod must go at once, so that others can stay.
    pub fn evicted(message: String) -> Self {
        Self { reason: EVICTED.into(), message }
    }

    /// The longest time its containers have, beside what the pod itself says.
    pub(crate) fn grace(&self) -> Duration {
        if self.reason == EVICTED { EVICTION_GRACE } else { Duration::MAX }
    }
}

/// A condition and since when it is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionRecord {
    /// Whether it holds.
    pub holds: bool,
    /// Since when.
    pub since: Timestamp,
}

/// What is known of one container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContainerRecord {
    /// Its image.
    pub image: ImageRecord,
    /// Runs begun so far; the current one's number is one less.
    pub attempts: u32,
    /// The current run.
    pub run: Run,
    /// How the run before ended.
    pub last: Option<Exit>,
    /// Ends in a row that count for the back-off.
    pub crashes: u32,
    /// Refusals in a row.
    pub refusals: u32,
    /// Probes of the current run.
    pub probes: BTreeMap<ProbeKind, ProbeRecord>,
    /// Its ending, once begun.
    pub stop: Option<Stop>,
}

impl ContainerRecord {
    /// Number of the current run, from 0.
    pub fn attempt(&self) -> u32 {
        self.attempts.saturating_sub(1)
    }

    /// A process may be there.
    pub fn is_live(&self) -> bool {
        matches!(self.run, Run::Starting | Run::Running { .. })
    }
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImageRecord {
    /// Not looked up.
    #[default]
    Unknown,
    /// Being looked up.
    Busy {
        /// Failures so far.
        tries: u32,
    },
    /// There.
    Known {
        /// What `imageID` says.
        id: String,
    },
    /// Not there.
    Failed {
        /// Why, with what to do.
        message: String,
        /// When.
        at: Timestamp,
        /// How often so far.
        tries: u32,
    },
}

impl ImageRecord {
    /// Failures so far.
    pub const fn tries(&self) -> u32 {
        match self {
            Self::Busy { tries } | Self::Failed { tries, .. } => *tries,
            Self::Unknown | Self::Known { .. } => 0,
        }
    }

    /// It was not found.
    pub fn fail(&mut self, message: String, at: Timestamp) {
        *self = Self::Failed { message, at, tries: self.tries() + 1 };
    }
}

/// The current run of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Run {
    /// None yet.
    #[default]
    None,
    /// Being started.
    Starting,
    /// It runs.
    Running {
        /// Since when.
        started: Timestamp,
    },
    /// It ended.
    Exited(Exit),
    /// It could not be made for a reason outside of it (a missing ConfigMap): tried again, not counted as a run.
    Refused {
        /// For example `CreateContainerConfigError`.
        reason: String,
        /// For people.
        message: String,
        /// When.
        at: Timestamp,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The run's number.
    pub attempt: u32,
    /// Exit code; 128 + signal for signals.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`.
    pub reason: String,
    /// Its last words.
    pub message: String,
    /// When it started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Timestamp,
}

/// The three probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProbeKind {
    /// Has it come up?
    Startup,
    /// Does it still live?
    Liveness,
    /// Can it serve?
    Readiness,
}

impl ProbeKind {
    /// As messages have it: `Liveness`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
        }
    }
}

/// What a probe has found in the current run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeRecord {
    /// The verdict; `None` before enough tries.
    pub passed: Option<bool>,
    /// Successes in a row.
    pub successes: u32,
    /// Failures in a row.
    pub failures: u32,
    /// A try is under way.
    pub busy: bool,
    /// When the next try is due.
    pub due: Timestamp,
}

/// The ending of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// When it began.
    pub since: Timestamp,
    /// How long until SIGKILL.
    pub grace: Duration,
    /// The preStop hook.
    pub hook: Hook,
    /// SIGTERM was sent.
    pub termed: bool,
    /// SIGKILL was sent, and when.
    pub killed: Option<Timestamp>,
}

/// How far a hook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hook {
    /// Not begun.
    Due,
    /// Under way.
    Busy,
    /// Done, or there is none.
    Done,
}

impl Observed {
    /// The record of a container, made if new.
    pub fn container(&mut self, name: &str) -> &mut ContainerRecord {
        self.containers.entry(name.to_owned()).or_default()
    }

    /// A run has started.
    pub fn started(&mut self, name: &str, at: Timestamp) {
        let record = self.container(name);
        if record.run == Run::Starting {
            record.run = Run::Running { started: at };
            record.refusals = 0;
            record.probes.clear();
        }
    }

    /// A run has ended. Reports of older runs, and second reports, change nothing.
    pub fn exited(&mut self, name: &str, exit: Exit) -> bool {
        let record = self.container(name);
        if !record.is_live() || exit.attempt != record.attempt() {
            return false;
        }
        record.run = Run::Exited(exit);
        record.stop = None;
        record.probes.clear();
        true
    }

    /// A container could not be made for a reason outside of it: the run does not count.
    pub fn refused(&mut self, name: &str, reason: &str, message: String, at: Timestamp) {
        let record = self.container(name);
        record.attempts = record.attempts.saturating_sub(1);
        record.refusals += 1;
        record.run = Run::Refused { reason: reason.to_owned(), message, at };
    }

    /// A probe's try is done. `true` when its verdict changed.
    pub fn probed(&mut self, name: &str, kind: ProbeKind, attempt: u32, ok: bool, thresholds: (u32, u32)) -> bool {
        let record = self.container(name);
        if attempt != record.attempt() {
            return false;
        }
        let Some(probe) = record.probes.get_mut(&kind) else { return false };
        probe.busy = false;
        let before = probe.passed;
        if ok {
            probe.failures = 0;
            probe.successes += 1;
            if probe.successes >= thresholds.0 {
                probe.passed = Some(true);
            }
        } else {
            probe.successes = 0;
            probe.failures += 1;
            if probe.failures >= thresholds.1 {
                probe.passed = Some(false);
            }
        }
        probe.passed != before
    }

    /// The supervisor was lost with all its processes: what ran has ended, and the sandbox must be made anew.
    pub fn sandbox_lost(&mut self, at: Timestamp) {
        if matches!(self.sandbox, Stage::Ready | Stage::Busy { .. }) {
            self.sandbox = Stage::Absent;
        }
        for record in self.containers.values_mut().filter(|r| r.is_live()) {
            let started = if let Run::Running { started } = record.run { Some(started) } else { None };
            record.run = Run::Exited(Exit {
                attempt: record.attempt(),
                code: 137,
                signal: Some(9),
                reason: "Error".into(),
                message: "the pod's supervisor ended".into(),
                started,
                finished: at,
            });
            record.stop = None;
            record.probes.clear();
        }
    }

    /// After a restart of the agent: what was under way is not any more, and is decided anew.
    pub fn resumed(&mut self) {
        for stage in [&mut self.volumes, &mut self.sandbox] {
            if matches!(stage, Stage::Busy { .. }) {
                *stage = Stage::Absent;
            }
        }
        self.finalizing = false;
        for record in self.containers.values_mut() {
            if matches!(record.image, ImageRecord::Busy { .. }) {
                record.image = ImageRecord::Unknown;
            }
            for probe in record.probes.values_mut() {
                probe.busy = false;
            }
            if let Some(stop) = &mut record.stop
                && stop.hook == Hook::Busy
            {
                stop.hook = Hook::Done;
            }
        }
    }
}
