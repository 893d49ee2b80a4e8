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
            | Self::VolumeFull
            | Self::NameNode
            | Self::NameNodePod
            | Self::NameNodes
            | Self::NameNodeLink
            | Self::NameNodeCable
            | Self::Zkfc
            | Self::JournalNode
            | Self::JournalNodeFull
            | Self::ZooKeeper
            | Self::DataNode
            | Self::DataNodeFull
            | Self::HdfsNode
            | Self::HdfsPods => Promise::Answer,
        }
    }

    /// How long until everything works again after the fault, at most. A dead node is replaced, a notebook's pod started
    /// anew; the rest is a matter of restarting processes. A server of an HDFS that is killed again waits longer and longer
    /// for its restart, as every container does: up to ten seconds here, five minutes where a kubelet has its own defaults.
    pub fn healthy_within(self) -> Duration {
        match self {
            Self::HdfsNode | Self::HdfsPods => Duration::from_mins(3),
            _ if self.is_of_hdfs() => Duration::from_mins(2),
            Self::Node | Self::NotebookNode | Self::NotebookPod | Self::NotebookPodDeleted | Self::Restart => {
                Duration::from_mins(1)
            }
            _ => Duration::from_secs(30),
        }
    }

    /// How long a writer in HDFS may have to wait at most, where the fault lasted so long; none where all that could serve it is
    /// gone for as long as a start takes.
    pub fn stalls_within(self, lasted: Duration) -> Option<Duration> {
        match self {
            Self::NameNode | Self::NameNodePod => Some(Duration::from_secs(10)),
            // The other NameNode takes over; a call that was under way ends with its timeout.
            Self::NameNodeCable => Some(Duration::from_secs(15)),
            // A client that the cut keeps from the active NameNode waits for its end; a call that was under way, for its timeout
            // of 8 s.
            Self::NameNodeLink => Some(Duration::from_secs(15).max(lasted + Duration::from_secs(10))),
            _ => None,
        }
    }

    /// Whether a file that is open may be lost to its writer, what was acknowledged of it not: Hadoop's client gives a file up
    /// whose last DataNode has gone.
    pub fn may_end_writes(self) -> bool {
        matches!(self, Self::HdfsPods)
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
            // Shorter than what a NameNode is given up after, and longer.
            Self::NameNodeLink | Self::NameNodeCable => Some((2_000, 15_000)),
            Self::JournalNodeFull | Self::DataNodeFull => Some((3_000, 12_000)),
            _ => None,
        }
    }
}
