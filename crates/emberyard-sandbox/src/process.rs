//! A process by an identity that does not get reused: pid, start time and boot.

use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;

/// A process of this machine, told from a later one with the same pid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// As `/proc` of this machine has it.
    pub pid: i32,
    /// Clock ticks since boot, field 22 of `/proc/PID/stat`.
    pub start_time: u64,
    /// The kernel's id of this boot.
    pub boot: String,
}

impl ProcessId {
    /// The process that now has this pid.
    pub fn of(pid: i32) -> Result<Self> {
        todo!("{pid}")
    }

    /// Whether it still runs (a zombie does not).
    pub fn is_alive(&self) -> bool {
        todo!()
    }

    /// A file descriptor of exactly this process.
    pub fn pidfd(&self) -> Result<OwnedFd> {
        todo!()
    }

    /// Sends a signal; nothing happens when it is gone.
    pub fn signal(&self, signal: i32) -> Result<()> {
        todo!("{signal}")
    }

    /// SIGKILL, and waits (at most 10 s) until it is gone.
    pub fn kill(&self) -> Result<()> {
        todo!()
    }
}
