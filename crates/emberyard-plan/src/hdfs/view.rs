//! What a NameNode's pages say of its DataNodes and blocks.

use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// How far a DataNode is in the service of an HDFS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// It takes blocks, and its copies count.
    Full,
    /// Somebody's maintenance: its copies may count, and it takes no blocks.
    Paused,
    /// Its copies are being made elsewhere, as long as it serves them.
    HandsOver,
    /// Its blocks have all their copies elsewhere.
    Left,
}

/// A DataNode, as a NameNode has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// Whether it was heard of lately.
    pub alive: bool,
    /// How far it is in the service.
    pub service: Service,
}

/// What one NameNode says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// Whether it takes no changes yet.
    pub safe_mode: bool,
    /// The DataNodes that it knows.
    pub data_nodes: BTreeMap<IpAddr, Registered>,
    /// Blocks without any good copy.
    pub missing: u64,
    /// Blocks with fewer copies in service than wanted, or in too few places.
    pub lacking: u64,
    /// Copies that are on their way.
    pub pending: u64,
}

impl View {
    /// Reads the answers for the beans `NameNodeInfo` and `FSNamesystemState`; none while the NameNode does not know.
    ///
    /// Both are looked up when they are asked for. The bean `FSNamesystem`, which has most of it too, is up to ten seconds old.
    pub fn read(info: &Value, state: &Value) -> Option<Self> {
        let (info, state) = (&info["beans"][0], &state["beans"][0]);
        let mut data_nodes = BTreeMap::new();
        for (list, alive) in [("DeadNodes", false), ("LiveNodes", true)] {
            // JSON within a text.
            let nodes: BTreeMap<String, Value> = serde_json::from_str(info[list].as_str()?).ok()?;
            for node in nodes.values() {
                let address: SocketAddr = node["xferaddr"].as_str()?.parse().ok()?;
                let service = match node["adminState"].as_str()? {
                    "In Service" => Service::Full,
                    "Decommission In Progress" => Service::HandsOver,
                    "Decommissioned" => Service::Left,
                    _ => Service::Paused,
                };
                data_nodes.insert(address.ip(), Registered { alive, service });
            }
        }
        Some(Self {
            safe_mode: !info["Safemode"].as_str()?.is_empty(),
            data_nodes,
            // Not those of the bean's list of corrupt blocks: the old copy that a killed DataNode brings back stays there
            // although all wanted copies are good.
            missing: info["NumberOfMissingBlocks"].as_u64()?,
            lacking: state["UnderReplicatedBlocks"].as_u64()?,
            pending: state["PendingReconstructionBlocks"].as_u64()?,
        })
    }

    /// What it says of the DataNode at an address.
    pub fn of(&self, address: IpAddr) -> Option<Registered> {
        self.data_nodes.get(&address).copied()
    }

    /// Whether it takes a DataNode for alive.
    pub(super) fn is_alive(&self, address: IpAddr) -> bool {
        self.of(address).is_some_and(|one| one.alive)
    }

    /// Blocks that are not as they should be.
    pub(super) fn to_go(&self) -> u64 {
        self.missing + self.lacking + self.pending
    }

    /// Whether all blocks have all their copies.
    pub(super) fn is_whole(&self) -> bool {
        !self.safe_mode && self.to_go() == 0
    }
}
