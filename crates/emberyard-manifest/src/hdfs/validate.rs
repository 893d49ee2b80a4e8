//! Spec and settings to a [`Plan`]: every default settled, every number checked.

use super::locality::NodePrefix;
use super::names::{HdfsNames, JOURNAL_NODES, ZOO_KEEPERS};
use super::{client, data_node, journal_node, name_node, zoo_keeper};
use crate::Identity;
use crate::error::InvalidHdfs;
use crate::names::names_services;
use emberyard_model::hdfs::{LONGEST_NAME, MOST_DISKS, NAME_NODES, VolumeSize};
use emberyard_model::{HdfsRacks, HdfsSpec, Quantity};

/// What an operator decides for all HDFS of its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HdfsSettings {
    /// Image with Hadoop and ZooKeeper.
    pub image: String,
    /// The cluster's DNS domain.
    pub cluster_domain: String,
}

/// An HDFS whose every default is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which it is.
    pub identity: Identity,
    /// Image of all its pods.
    pub image: String,
    /// Copies of each block where a file's writer says nothing.
    pub replication: u32,
    /// NameNodes wanted: one, or an active one and a standby.
    pub name_nodes: u32,
    /// DataNodes wanted.
    pub data_nodes: u32,
    /// DataNodes for now: more while those that are too many hand over their blocks.
    pub kept: u32,
    /// Volumes of each DataNode.
    pub disks: u32,
    /// What copies of a block are kept apart by, where addresses tell their node.
    pub racks: HdfsRacks,
    /// Namespaces beside its own whose pods may reach it.
    pub client_namespaces: Vec<String>,
    /// Storage class of all volumes; none: the cluster's default.
    pub storage_class: Option<String>,
    /// Bytes of each volume: NameNode, JournalNode, ZooKeeper, DataNode.
    pub(crate) sizes: Sizes,
    /// The cluster's DNS domain.
    pub cluster_domain: String,
    /// How addresses tell their node, where they do.
    pub node_prefix: Option<NodePrefix>,
    /// Nodes that the fleet may have, where there is one.
    pub most_nodes: Option<u32>,
}

/// Bytes of each part's volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub name_node: Quantity,
    pub journal_node: Quantity,
    pub zoo_keeper: Quantity,
    pub data_node: Quantity,
}

impl Plan {
    /// Its address for clients.
    pub fn url(&self) -> String {
        format!("hdfs://{}", self.identity.name)
    }

    /// What it consists of, and how many of each: as the label `app.kubernetes.io/component` has it.
    pub fn parts(&self) -> Vec<(&'static str, u32)> {
        let mut parts = Vec::new();
        if self.has_standby() {
            parts.extend([(zoo_keeper::PART, ZOO_KEEPERS), (journal_node::PART, JOURNAL_NODES)]);
        }
        parts.extend([(name_node::PART, self.name_nodes), (data_node::PART, self.data_nodes), (client::PART, 1)]);
        parts
    }

    /// Whether a second NameNode takes over when the first one dies: what JournalNodes and ZooKeeper are for.
    pub fn has_standby(&self) -> bool {
        self.name_nodes > 1
    }

    /// Pods of its NameNodes.
    pub fn name_node_pods(&self) -> Vec<String> {
        let set = self.names().part(name_node::PART);
        (0..self.name_nodes).map(|ordinal| format!("{set}-{ordinal}")).collect()
    }

    /// The same with blocks placed and read by node, where addresses tell their node.
    #[must_use]
    pub fn by_node(self, node_prefix: Option<NodePrefix>) -> Self {
        Self { node_prefix, ..self }
    }

    /// Whether copies are kept apart by zone, too.
    pub fn by_zone(&self) -> bool {
        self.node_prefix.is_some() && self.racks == HdfsRacks::Zone
    }

    /// The same in a fleet of at most so many nodes.
    #[must_use]
    pub fn in_fleet(self, most_nodes: Option<u32>) -> Self {
        Self { most_nodes, ..self }
    }

    /// Whether each DataNode waits for a node of its own, which makes a fleet grow: where it may have enough of them, also for
    /// those that are there for now. Else, and where nodes are somebody else's business, DataNodes share those that there are.
    pub(crate) fn apart(&self) -> bool {
        self.most_nodes.is_some_and(|most| most >= self.kept)
    }

    /// The same with DataNodes that are too many, and there for now.
    #[must_use]
    pub fn keeping(self, running: u32) -> Self {
        Self { kept: running.max(self.data_nodes), ..self }
    }

    /// Names of its objects.
    pub fn names(&self) -> HdfsNames<'_> {
        HdfsNames { name: &self.identity.name, namespace: &self.identity.namespace, domain: &self.cluster_domain }
    }
}

/// Checks a spec and settles what it leaves open.
pub fn validate(identity: Identity, spec: HdfsSpec, settings: &HdfsSettings) -> Result<Plan, InvalidHdfs> {
    names_services(&identity.name, LONGEST_NAME)
        .map_err(|why| InvalidHdfs::Name { name: identity.name.clone(), why })?;
    let (name_nodes, data_nodes) = (spec.wanted_name_nodes(), spec.wanted_data_nodes());
    if !(1..=NAME_NODES).contains(&name_nodes) {
        return Err(InvalidHdfs::NameNodes { name_nodes });
    }
    let disks = spec.wanted_disks();
    if !(1..=MOST_DISKS).contains(&disks) {
        return Err(InvalidHdfs::Disks { disks });
    }
    let (replication, racks) = (spec.wanted_replication(), spec.wanted_racks());
    if replication == 0 || replication > data_nodes {
        return Err(InvalidHdfs::Replication { replication, data_nodes });
    }
    let HdfsSpec { image, storage, client_namespaces, .. } = spec;
    let sizes = Sizes {
        name_node: size("spec.storage.nameNode", storage.name_node, VolumeSize::NAME_NODE)?,
        journal_node: size("spec.storage.journalNode", storage.journal_node, VolumeSize::JOURNAL_NODE)?,
        zoo_keeper: size("spec.storage.zooKeeper", storage.zoo_keeper, VolumeSize::ZOO_KEEPER)?,
        data_node: size("spec.storage.dataNode", storage.data_node, VolumeSize::DATA_NODE)?,
    };
    Ok(Plan {
        identity,
        image: image.unwrap_or_else(|| settings.image.clone()),
        replication,
        name_nodes,
        data_nodes,
        kept: data_nodes,
        disks,
        racks,
        client_namespaces,
        storage_class: storage.storage_class,
        sizes,
        cluster_domain: settings.cluster_domain.clone(),
        node_prefix: None,
        most_nodes: None,
    })
}

fn size(field: &'static str, given: Option<Quantity>, size: VolumeSize) -> Result<Quantity, InvalidHdfs> {
    let value = given.unwrap_or(size.default);
    if value < size.least {
        return Err(InvalidHdfs::Volume { field, value: value.to_string(), least: size.least.to_string() });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberyard_model::Explained;

    fn check(name: &str, spec: &str) -> Result<Plan, InvalidHdfs> {
        let identity = Identity { namespace: "default".to_owned(), name: name.to_owned(), uid: "u".to_owned() };
        let settings = HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() };
        validate(identity, serde_json::from_str(spec).unwrap(), &settings)
    }

    #[test]
    fn what_is_refused() {
        let table = [
            ("My", "{}", "can't be used"),
            ("1a", "{}", "begins with a digit"),
            (&"a".repeat(41), "{}", "40 are possible"),
            ("a", r#"{"replication":5}"#, "4 DataNodes"),
            ("a", r#"{"replication":0}"#, "replication is 0"),
            ("a", r#"{"nameNodes":3}"#, "spec.nameNodes is 3"),
            ("a", r#"{"disks":17}"#, "spec.disks is 17"),
            ("a", r#"{"storage":{"dataNode":"1Mi"}}"#, "at least 1Gi"),
        ];
        for (name, spec, wanted) in table {
            let error = check(name, spec).unwrap_err();
            assert!(error.explain().contains(wanted), "{name} {spec}: {error}");
        }
    }

    #[test]
    fn few_data_nodes_hold_few_copies() {
        assert_eq!(check("a", r#"{"dataNodes":2}"#).unwrap().replication, 2);
        assert_eq!(check("a", "{}").unwrap().replication, 3);
    }
}
