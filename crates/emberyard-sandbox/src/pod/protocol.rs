//! What agent and supervisor say to each other. A newer agent must understand an older supervisor: variants and fields are
//! only ever added, and [`VERSION`] counts additions.

use super::spec::{ContainerSpec, ExecSpec};
use super::state::ContainerState;
use crate::failure::Failure;
use crate::process::ProcessId;
use serde::{Deserialize, Serialize};

/// Version spoken here.
pub const VERSION: u32 = 2;
/// Oldest version of a supervisor that this program can talk to.
pub const OLDEST: u32 = 1;
/// The supervisor's socket in the pod's folder.
pub const SOCKET: &str = "supervisor.sock";
/// The supervisor's record in the pod's folder.
pub const RECORD: &str = "supervisor.json";
/// Folder of the recorded states in the pod's folder.
pub const STATES: &str = "state";

/// Who serves a pod.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// What it speaks.
    pub version: u32,
    /// The supervisor.
    pub supervisor: ProcessId,
    /// The init process of the pod.
    pub init: ProcessId,
}

/// From the agent.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Always first.
    Hello {
        /// What the agent speaks.
        version: u32,
    },
    /// All states.
    List,
    /// All states, now and after each change.
    Watch,
    /// Start a container.
    Start(Box<ContainerSpec>),
    /// Run a command; the connection then belongs to it.
    Exec(ExecSpec),
    /// Signal to the command of this connection.
    ExecSignal {
        /// Its number.
        signal: i32,
    },
    /// Streams of a container.
    Attach {
        /// Its name.
        container: String,
    },
    /// Signal to a main process.
    Signal {
        /// The container's name.
        container: String,
        /// The signal's number.
        signal: i32,
    },
    /// End a container with all its processes.
    Kill {
        /// Its name.
        container: String,
    },
    /// Drop an ended attempt.
    Forget {
        /// The container's name.
        container: String,
        /// Which one.
        attempt: u32,
    },
    /// End the pod.
    Stop,
}

/// From the supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// To `Hello`.
    Hello {
        /// What the supervisor speaks.
        version: u32,
    },
    /// To `List`, `Watch` and `Stop`.
    States(Vec<ContainerState>),
    /// To `Start`.
    State(Box<ContainerState>),
    /// To `Exec` and `Attach`; descriptors come beside it in this order.
    Streams {
        /// Whether there is one for input.
        stdin: bool,
        /// Whether there is one for error output, after the one for output.
        stderr: bool,
    },
    /// The command of this connection has ended.
    Ended {
        /// Exit code, 128 + signal for a signal.
        code: i32,
    },
    /// Done, nothing to tell.
    Done,
    /// It did not work.
    Failed(Failure),
}
