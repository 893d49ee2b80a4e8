//! Which promise holds under which fault.

use crate::Fault;
use std::time::Duration;

/// What must hold for the job that ran when the fault struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// It ends with the right answer: Spark, or the yard, makes good what was lost.
    Answer,
    /// What held it is gone, and it with it. Nothing of it is left after this time, and a new session works.
    Lost {
        /// The time.
        cleared: Duration,
    },
}

/// Leftovers of a lost job are gone within this.
const CLEARED: Duration = Duration::from_secs(10);

impl Fault {
    /// What is promised.
    pub fn promise(self) -> Promise {
        match self {
            Self::Kernel
            | Self::DriverJvm
            | Self::NotebookPod
            | Self::NotebookPodDeleted
            | Self::NotebookNode
            | Self::Restart => Promise::Lost { cleared: CLEARED },
            Self::Executor
            | Self::ExecutorPod
            | Self::PythonWorker
            | Self::Agent
            | Self::Node
            | Self::Keeper
            | Self::ControlPlane
            | Self::Operator
            | Self::Everything
            | Self::Link
            | Self::Cable
            | Self::Freeze
            | Self::LongFreeze
            | Self::ClockJump
            | Self::DiskFull
            | Self::VolumeFull => Promise::Answer,
        }
    }

    /// How long until everything works again after the fault, at most. A dead node is replaced, a notebook's pod started
    /// anew; the rest is a matter of restarting processes.
    pub fn healthy_within(self) -> Duration {
        match self {
            Self::Node | Self::NotebookNode | Self::NotebookPod | Self::NotebookPodDeleted | Self::Restart => {
                Duration::from_mins(1)
            }
            _ => Duration::from_secs(30),
        }
    }

    /// Shortest and longest time that the fault lasts, in milliseconds; for faults that are over at once none.
    pub(crate) fn lasts(self) -> Option<(u64, u64)> {
        match self {
            Self::Link | Self::Freeze => Some((2_000, 8_000)),
            // Shorter than a node's lease, and longer.
            Self::Cable | Self::DiskFull => Some((1_000, 9_000)),
            // Only the standing still: the clock goes an hour in that time.
            Self::ClockJump => Some((500, 3_000)),
            Self::LongFreeze => Some((60_000, 60_000)),
            _ => None,
        }
    }
}
