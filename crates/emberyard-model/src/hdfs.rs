//! The HdfsCluster: an HDFS, highly available if its user doesn't want less.
//!
//! Written by users (or `emberyard hdfs create`), reconciled by the operator, on any cluster.

use crate::notebook::Condition;
use crate::quantity::Quantity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Resource name in paths.
pub const HDFS_CLUSTERS: &str = "hdfsclusters";
/// Kind.
pub const HDFS_KIND: &str = "HdfsCluster";
/// Label with the HdfsCluster's name, on everything that belongs to it.
pub const HDFS_LABEL: &str = "emberyard.dev/hdfs";
/// Label with the part (`namenode`, `datanode` and so on) that such an object is of.
pub const COMPONENT_LABEL: &str = "app.kubernetes.io/component";

/// Port of a NameNode's RPC: what `hdfs://HOST/` means without a port.
pub const NAME_NODE_PORT: u16 = 8020;
/// Port of a NameNode's web page: that of Hadoop 2, which tutorials name. Behind a headless service nothing translates it.
pub const NAME_NODE_WEB_PORT: u16 = 50070;
/// Port of the client's pod where its canary tells how long clients wait.
pub const CANARY_PORT: u16 = 9870;

/// NameNodes where the spec says nothing, and at most: an active one and a standby.
pub const NAME_NODES: u32 = 2;
/// Copies of each block where neither a file's writer nor the spec says anything, if there are as many DataNodes.
const REPLICATION: u32 = 3;
/// DataNodes where the spec says nothing.
pub const DATA_NODES: u32 = 4;
/// Volumes of each DataNode where the spec says nothing.
pub const DISKS: u32 = 1;
/// Volumes that a DataNode may have.
pub const MOST_DISKS: u32 = 16;
/// Longest name whose pods' `controller-revision-hash` label (`NAME-journalnode-HASH`) still is a label's value.
pub const LONGEST_NAME: usize = 63 - "-journalnode-0123456789".len();

/// How large a part's volumes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumeSize {
    /// Bytes where the spec says nothing: as in the tutorial.
    pub default: Quantity,
    /// Bytes that make sense at least.
    pub least: Quantity,
}

impl VolumeSize {
    const fn metadata(gib: i64) -> Self {
        // Below this there is no room for the first segments of a journal (1 MiB each, many kept).
        Self { default: Quantity::from_units(gib << 30), least: Quantity::from_units(256 << 20) }
    }

    /// Of a NameNode.
    pub const NAME_NODE: Self = Self::metadata(100);
    /// Of a JournalNode.
    pub const JOURNAL_NODE: Self = Self::metadata(20);
    /// Of a ZooKeeper server.
    pub const ZOO_KEEPER: Self = Self::metadata(5);
    /// Of a DataNode. Less than a GiB does not hold a few blocks of 128 MiB.
    pub const DATA_NODE: Self = Self { default: Quantity::from_units(100 << 30), least: Quantity::from_units(1 << 30) };
}

/// What the user wants. Everything has a default, so `spec: {}` is a whole HDFS.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HdfsSpec {
    /// Image with Hadoop and ZooKeeper; absent: the operator's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Copies of each block where a file's writer says nothing; absent: 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication: Option<u32>,
    /// NameNodes, 1 or 2; absent: 2. One alone needs neither JournalNodes nor ZooKeeper; without it nothing can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_nodes: Option<u32>,
    /// DataNodes; absent: 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_nodes: Option<u32>,
    /// Volumes of each DataNode; absent: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disks: Option<u32>,
    /// What copies of a block are kept apart by, beside their nodes; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub racks: Option<HdfsRacks>,
    /// Namespaces beside its own whose pods may reach it, and whose sessions are told of it. Whoever reaches it is trusted: it believes
    /// the name that a client gives itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_namespaces: Vec<String>,
    /// Sizes of the volumes.
    #[serde(skip_serializing_if = "is_default")]
    pub storage: HdfsStorage,
}

/// What counts as a rack, whose death must leave a copy of each block elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HdfsRacks {
    /// Each node by itself: copies are on as many nodes as there can be.
    #[default]
    Node,
    /// All nodes of a zone (label `topology.kubernetes.io/zone`): copies are on different nodes of two zones.
    Zone,
}

impl HdfsSpec {
    /// NameNodes that are wanted.
    pub fn wanted_name_nodes(&self) -> u32 {
        self.name_nodes.unwrap_or(NAME_NODES)
    }

    /// DataNodes that are wanted.
    pub fn wanted_data_nodes(&self) -> u32 {
        self.data_nodes.unwrap_or(DATA_NODES)
    }

    /// Volumes of each DataNode that are wanted.
    pub fn wanted_disks(&self) -> u32 {
        self.disks.unwrap_or(DISKS)
    }

    /// What counts as a rack.
    pub fn wanted_racks(&self) -> HdfsRacks {
        self.racks.unwrap_or_default()
    }

    /// Copies of a block that are wanted.
    pub fn wanted_replication(&self) -> u32 {
        self.replication.unwrap_or(REPLICATION.min(self.wanted_data_nodes()))
    }

    /// Whether it means the same as another that says less, in what that one says of numbers, racks and clients.
    pub fn agrees(&self, asked: &Self) -> bool {
        asked.name_nodes.is_none_or(|asked| asked == self.wanted_name_nodes())
            && asked.data_nodes.is_none_or(|asked| asked == self.wanted_data_nodes())
            && asked.disks.is_none_or(|asked| asked == self.wanted_disks())
            && asked.racks.is_none_or(|asked| asked == self.wanted_racks())
            && (asked.client_namespaces.is_empty() || asked.client_namespaces == self.client_namespaces)
            && asked.replication.is_none_or(|asked| asked == self.wanted_replication())
    }
}

/// Sizes of an HDFS's volumes, bytes; absent: those of the tutorial. They can't shrink.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HdfsStorage {
    /// Storage class of all of them; absent: the cluster's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Of each NameNode; absent: 100 Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_node: Option<Quantity>,
    /// Of each JournalNode; absent: 20 Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal_node: Option<Quantity>,
    /// Of each ZooKeeper server; absent: 5 Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoo_keeper: Option<Quantity>,
    /// Of each volume of a DataNode; absent: 100 Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_node: Option<Quantity>,
}

/// How far an HDFS is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HdfsPhase {
    /// It is being started, or has lost what it needs to serve.
    #[default]
    Pending,
    /// It can be read and written, but something of it is missing.
    Degraded,
    /// All of it is there.
    Ready,
    /// Its spec can't be carried out.
    Invalid,
}

/// What the operator says of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HdfsStatus {
    /// The generation of the spec that this is about.
    pub observed_generation: i64,
    /// How far it is.
    pub phase: HdfsPhase,
    /// Its address for clients: `hdfs://NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The pod of the active NameNode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<String>,
    /// Its parts: how many of each are wanted and how many are ready.
    pub parts: Vec<HdfsPart>,
    /// In detail.
    pub conditions: Vec<Condition>,
}

impl HdfsStatus {
    /// An HdfsCluster's; as of a new one where it can't be read.
    pub fn of(cluster: &Value) -> Self {
        serde_json::from_value(cluster["status"].clone()).unwrap_or_default()
    }
}

/// Servers of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HdfsPart {
    /// `namenode`, `journalnode`, `zookeeper`, `datanode` or `client`.
    pub name: String,
    /// How many there should be.
    pub wanted: u32,
    /// How many are ready.
    pub ready: u32,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_spec_is_a_whole_one_and_stays_empty() {
        let spec: HdfsSpec = serde_json::from_str("{}").unwrap();
        assert_eq!(spec, HdfsSpec::default());
        assert_eq!(serde_json::to_string(&spec).unwrap(), "{}");
    }

    #[test]
    fn a_number_that_is_left_out_agrees_with_what_it_means() {
        let spec = |text: &str| serde_json::from_str::<HdfsSpec>(text).unwrap();
        for (there, asked, agrees) in [
            ("{}", "{}", true),
            ("{}", r#"{"nameNodes":2,"dataNodes":4,"replication":3}"#, true),
            (r#"{"nameNodes":1,"dataNodes":2}"#, "{}", true),
            (r#"{"nameNodes":1,"dataNodes":2}"#, r#"{"replication":2}"#, true),
            (r#"{"nameNodes":1}"#, r#"{"nameNodes":2}"#, false),
            ("{}", r#"{"dataNodes":3}"#, false),
            ("{}", r#"{"disks":1}"#, true),
            (r#"{"disks":2}"#, r#"{"disks":3}"#, false),
            (r#"{"dataNodes":2}"#, r#"{"replication":3}"#, false),
        ] {
            assert_eq!(spec(there).agrees(&spec(asked)), agrees, "{there} {asked}");
        }
    }
}
