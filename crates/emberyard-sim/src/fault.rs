//! The vocabulary of faults, as it is typed and shown.

use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// An executor's JVM is killed.
    Executor,
    /// An executor's pod is deleted behind Spark's back.
    ExecutorPod,
    /// The Python workers of an executor are killed.
    PythonWorker,
    /// The notebook's Python process is killed.
    Kernel,
    /// Spark's driver JVM is killed.
    DriverJvm,
    /// The supervisor of the notebook's pod is killed, and the pod with it.
    NotebookPod,
    /// The notebook's pod is deleted.
    NotebookPodDeleted,
    /// A node's agent is killed.
    Agent,
    /// A node is killed with all that runs on it; not the notebook's.
    Node,
    /// The notebook's node is killed.
    NotebookNode,
    /// The keeper is killed, and `up` typed again.
    Keeper,
    /// API server, scheduler and controllers are killed.
    ControlPlane,
    /// Operator and gateway are killed.
    Operator,
    /// Keeper, control plane, operator and all agents are killed at once, and `up` typed again.
    Everything,
    /// Pods of two nodes can't reach each other for some seconds.
    Link,
    /// A node can't be reached for some seconds, not even by the control plane.
    Cable,
    /// Every process of the yard stands still for some seconds.
    Freeze,
    /// The same for a minute.
    LongFreeze,
    /// Every process of the yard stands still, and the yard's clock is an hour further when they go on, as after a laptop
    /// was closed.
    ClockJump,
    /// The journal finds no room on its disk for some seconds.
    DiskFull,
    /// A pod fills a volume of its own beyond what it may have.
    VolumeFull,
    /// Every process of the yard is gone at once, as after a restart of the machine, and `up` is typed.
    Restart,
    /// The JVM of an HDFS's active NameNode is killed.
    NameNode,
    /// The supervisor of the active NameNode's pod is killed, and the pod with it: NameNode and controller.
    NameNodePod,
    /// The JVMs of both NameNodes are killed at once.
    NameNodes,
    /// The pods of both NameNodes' nodes can't reach each other for some seconds.
    NameNodeLink,
    /// The active NameNode's pod reaches nothing and is reached by nobody for some seconds.
    NameNodeCable,
    /// The failover controller beside a NameNode is killed.
    Zkfc,
    /// A JournalNode is killed.
    JournalNode,
    /// A JournalNode can't write to its volume for some seconds.
    JournalNodeFull,
    /// A ZooKeeper server is killed.
    ZooKeeper,
    /// A DataNode is killed while a block is written to it.
    DataNode,
    /// A DataNode can't write to its volume for some seconds.
    DataNodeFull,
    /// A node is killed with all parts of the HDFS on it; not the notebook's.
    HdfsNode,
    /// All pods of the HDFS are killed at once.
    HdfsPods,
}

/// A word that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault {word:?}; there are {}, all; {}, hdfs", words(&Fault::YARD), words(&Fault::HDFS))]
pub struct UnknownFault {
    /// The word.
    pub word: String,
}

fn words(faults: &[Fault]) -> String {
    faults.iter().map(|fault| fault.word()).collect::<Vec<_>>().join(", ")
}

impl Fault {
    /// Those of Spark and of the yard: what `all` stands for. HDFS' own are not among them, so that the seeds of older
    /// rehearsals mean what they meant, and a yard without an HDFS needs none.
    pub const YARD: [Self; 22] = [
        Self::Executor,
        Self::ExecutorPod,
        Self::PythonWorker,
        Self::Kernel,
        Self::DriverJvm,
        Self::NotebookPod,
        Self::NotebookPodDeleted,
        Self::Agent,
        Self::Node,
        Self::NotebookNode,
        Self::Keeper,
        Self::ControlPlane,
        Self::Operator,
        Self::Everything,
        Self::Link,
        Self::Cable,
        Self::Freeze,
        Self::LongFreeze,
        Self::ClockJump,
        Self::DiskFull,
        Self::VolumeFull,
        Self::Restart,
    ];

    /// Those of an HDFS: what `hdfs` stands for.
    pub const HDFS: [Self; 13] = [
        Self::NameNode,
        Self::NameNodePod,
        Self::NameNodes,
        Self::NameNodeLink,
        Self::NameNodeCable,
        Self::Zkfc,
        Self::JournalNode,
        Self::JournalNodeFull,
        Self::ZooKeeper,
        Self::DataNode,
        Self::DataNodeFull,
        Self::HdfsNode,
        Self::HdfsPods,
    ];

    /// Every one there is.
    pub fn every() -> impl Iterator<Item = Self> {
        Self::YARD.into_iter().chain(Self::HDFS)
    }

    /// Whether it strikes an HDFS, which must be there then.
    pub fn is_of_hdfs(self) -> bool {
        Self::HDFS.contains(&self)
    }

    /// As it is typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Executor => "executor",
            Self::ExecutorPod => "executor-pod",
            Self::PythonWorker => "python-worker",
            Self::Kernel => "kernel",
            Self::DriverJvm => "driver-jvm",
            Self::NotebookPod => "notebook-pod",
            Self::NotebookPodDeleted => "notebook-pod-deleted",
            Self::Agent => "agent",
            Self::Node => "node",
            Self::NotebookNode => "notebook-node",
            Self::Keeper => "keeper",
            Self::ControlPlane => "control-plane",
            Self::Operator => "operator",
            Self::Everything => "everything",
            Self::Link => "link",
            Self::Cable => "cable",
            Self::Freeze => "freeze",
            Self::LongFreeze => "long-freeze",
            Self::ClockJump => "clock-jump",
            Self::DiskFull => "disk-full",
            Self::VolumeFull => "volume-full",
            Self::Restart => "restart",
            Self::NameNode => "namenode",
            Self::NameNodePod => "namenode-pod",
            Self::NameNodes => "namenodes",
            Self::NameNodeLink => "namenode-link",
            Self::NameNodeCable => "namenode-cable",
            Self::Zkfc => "zkfc",
            Self::JournalNode => "journalnode",
            Self::JournalNodeFull => "journalnode-full",
            Self::ZooKeeper => "zookeeper",
            Self::DataNode => "datanode",
            Self::DataNodeFull => "datanode-full",
            Self::HdfsNode => "hdfs-node",
            Self::HdfsPods => "hdfs-pods",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(word: &str) -> Result<Self, UnknownFault> {
        Self::every().find(|fault| fault.word() == word).ok_or_else(|| UnknownFault { word: word.to_owned() })
    }
}

/// Reads a comma list of faults; `all` is [`Fault::YARD`], `hdfs` is [`Fault::HDFS`]. Each counts once, in the order of
/// [`Fault::every`]: the order in which they were typed is no part of the seed.
pub fn parse(list: &str) -> Result<Vec<Fault>, UnknownFault> {
    let mut faults = Vec::new();
    for word in list.split(',').map(str::trim) {
        match word {
            "all" => faults.extend(Fault::YARD),
            "hdfs" => faults.extend(Fault::HDFS),
            one => faults.push(one.parse()?),
        }
    }
    faults.sort_unstable();
    faults.dedup();
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        assert_eq!(parse("keeper, executor,keeper").unwrap(), [Fault::Executor, Fault::Keeper]);
        assert_eq!(parse("agent,all").unwrap(), Fault::YARD);
        assert_eq!(parse("zkfc,hdfs").unwrap(), Fault::HDFS);
        assert_eq!(parse("hdfs,all").unwrap(), Fault::every().collect::<Vec<_>>());
        for list in ["", "executor,", "Executor", "executor keeper"] {
            let error = parse(list).unwrap_err().to_string();
            assert!(error.contains("executor-pod, python-worker"), "{list}: {error}");
        }
    }

    #[test]
    fn a_word_is_what_the_report_says() {
        for fault in Fault::every() {
            assert_eq!(fault.word().parse(), Ok(fault));
            assert_eq!(serde_json::to_value(fault).unwrap(), fault.word());
        }
    }
}
