//! Which DataNodes of an HDFS hand over their blocks, and which of their pods may go then.
//!
//! A DataNode that is to go is first named to both NameNodes, which copy its blocks to others; its pod is let go when all of
//! them are there. Never are so many named that those left over can't hold the copies that are wanted.

mod removal;
mod tell;
#[cfg(test)]
mod tests;
mod view;

pub use removal::{Removal, SafeSince, plan};
pub use tell::{REMOVAL, TOO_FEW, Told};
pub use view::{Registered, Service, View};

use std::collections::BTreeSet;
use std::net::IpAddr;

/// A pod of a DataNode that has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataNode {
    /// Its name.
    pub pod: String,
    /// Its uid: another pod of its name is not meant.
    pub uid: String,
    /// The address by which NameNodes know it.
    pub address: IpAddr,
    /// Where it runs.
    pub node: String,
    /// Whether it serves.
    pub ready: bool,
    /// Whether it is on its way out already.
    pub ends: bool,
    /// Whether it is to go: its node is to be emptied.
    pub asked: bool,
}

/// An HDFS, as far as its DataNodes' removal is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct World {
    /// Copies wanted of each block.
    pub copies: u32,
    /// DataNodes wanted.
    pub wanted: u32,
    /// The pods of its DataNodes.
    pub data_nodes: Vec<DataNode>,
    /// What the active NameNode says; none while there is none.
    pub active: Option<View>,
    /// What the other NameNode says.
    pub standby: Option<View>,
    /// The addresses that NameNodes are told so far.
    pub excluded: BTreeSet<IpAddr>,
}

impl World {
    /// DataNodes that are to go and are still there.
    fn asked(&self) -> impl Iterator<Item = &DataNode> {
        self.data_nodes.iter().filter(|one| one.asked && !one.ends)
    }

    /// Addresses of DataNodes that serve and whose copies count, as the active NameNode has it.
    fn in_service(&self) -> BTreeSet<IpAddr> {
        let serves = |one: &&DataNode| {
            let registered = self.active.as_ref().and_then(|view| view.of(one.address));
            one.ready && !one.ends && registered == Some(Registered { alive: true, service: Service::Full })
        };
        self.data_nodes.iter().filter(serves).map(|one| one.address).collect()
    }
}
