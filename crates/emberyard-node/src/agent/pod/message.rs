//! What a pod's task hears.

use emberyard_image::Resolved;
use emberyard_model::Timestamp;
use emberyard_pod::ProbeKind;
use emberyard_pod::observed::Ended;
use emberyard_sandbox::{ContainerState, PodSandbox};
use serde_json::Value;

/// News for a pod's task: from the API server, or the outcome of an action.
pub(crate) enum Message {
    /// The object as it is now.
    Object(Box<Value>),
    /// The object is no more.
    Gone,
    /// Time has passed in which nobody could renew the pod's tokens.
    Stale,
    /// The pod must end as a whole.
    End(Ended),
    /// Volumes are ready, or why not.
    Volumes(Result<super::volumes::Places, String>),
    /// Namespaces and network are ready, or why not.
    Sandbox(Result<PodSandbox, String>),
    /// Namespaces and network are gone.
    SandboxStopped,
    /// The volumes are gone.
    Released,
    /// An image was found, or why not.
    Image(String, Result<Box<Resolved>, String>),
    /// A container runs.
    Started { container: String, at: Timestamp, notes: Vec<String> },
    /// A container does not run.
    NotStarted { container: String, attempt: u32, why: StartError },
    /// States of all runs, from the supervisor.
    States(Vec<ContainerState>),
    /// The supervisor is gone.
    Lost,
    /// A probe's try is done.
    Probed { container: String, kind: ProbeKind, attempt: u32, verdict: Result<(), String> },
    /// A preStop hook is done.
    Hooked { container: String, attempt: u32, verdict: Result<(), String> },
    /// A postStart hook failed.
    HookFailed { container: String, attempt: u32, why: String },
}

/// Why a container does not run.
pub(crate) enum StartError {
    /// Something outside of it is missing: tried again.
    Refused { reason: &'static str, message: String },
    /// Its program cannot be run: counts as a run that ended.
    CannotRun { code: i32, message: String },
}
