//! What became of a container: values only. Also written as `state/NAME.ATTEMPT.json` into the pod's folder.

use crate::process::ProcessId;
use emberyard_model::Timestamp;
use serde::{Deserialize, Serialize};

/// State of one attempt of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerState {
    /// Name in the pod.
    pub name: String,
    /// Restart count.
    pub attempt: u32,
    /// The main process as the machine sees it.
    pub process: ProcessId,
    /// When it was started.
    pub started: Timestamp,
    /// How it ended; absent while it runs.
    pub ended: Option<Ended>,
    /// What could not be done as asked, for a person (no id-mapped mounts, no control group …).
    pub notes: Vec<String>,
    /// Folder of the control group that accounts its memory, if there is one.
    pub memory_cgroup: Option<std::path::PathBuf>,
}

/// How a container's main process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Exit code; 128 + signal when a signal ended it.
    pub exit_code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// It, or a process of its container, was killed for lack of memory.
    pub out_of_memory: bool,
    /// The most memory its control group ever had, bytes; absent without one, or from a supervisor that did not look.
    #[serde(default)]
    pub memory_peak: Option<u64>,
    /// Its programs when its memory was full, and what each had, bytes; empty where nobody looked.
    #[serde(default)]
    pub programs: Vec<(String, u64)>,
}
