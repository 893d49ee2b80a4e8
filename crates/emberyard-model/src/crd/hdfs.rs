//! The definition of the HdfsCluster.

use super::{conditions, definition, hdfs_rules, quantity};
use crate::hdfs::{HDFS_CLUSTERS, HDFS_KIND, MOST_DISKS, NAME_NODES, VolumeSize};
use serde_json::{Value, json};

/// The definition of [`crate::hdfs::HdfsSpec`].
pub fn hdfs_cluster() -> Value {
    let names = json!({
        "kind": HDFS_KIND, "listKind": "HdfsClusterList", "plural": HDFS_CLUSTERS, "singular": "hdfscluster",
        "shortNames": ["hdfs"], "categories": ["emberyard"],
    });
    let columns = json!([
        {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
        {"name": "URL", "type": "string", "jsonPath": ".status.url"},
        {"name": "Active", "type": "string", "jsonPath": ".status.active"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]);
    let mut definition =
        definition(&names, &columns, "An HDFS, highly available if not asked otherwise.", &spec(), &status());
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["x-kubernetes-validations"] =
        hdfs_rules::of_object();
    definition
}

/// Fields of the volumes' sizes, and whose each is.
const SIZES: [(&str, &str, VolumeSize); 4] = [
    ("nameNode", "NameNode", VolumeSize::NAME_NODE),
    ("journalNode", "JournalNode", VolumeSize::JOURNAL_NODE),
    ("zooKeeper", "ZooKeeper server", VolumeSize::ZOO_KEEPER),
    ("dataNode", "DataNode", VolumeSize::DATA_NODE),
];

fn spec() -> Value {
    // What an API server lets a rule cost is reckoned from the longest text that there can be.
    let mut storage = json!({"storageClass": {
        "type": "string", "maxLength": 253, "description": "Storage class; absent: the cluster's default.",
    }});
    for (field, of, VolumeSize { default, least }) in SIZES {
        storage[field] = quantity(&format!("Bytes of each {of}'s volume; absent: {default}. Can't be changed."));
        storage[field]["maxLength"] = json!(32);
        storage[field]["x-kubernetes-validations"] = hdfs_rules::of_size(least);
    }
    json!({
        "type": "object",
        "x-kubernetes-validations": hdfs_rules::of_spec(&SIZES.map(|(field, _, size)| (field, size.default))),
        "properties": {
            "image": {"type": "string", "description": "Image with Hadoop and ZooKeeper; absent: the operator's default."},
            "replication": {
                "type": "integer", "format": "int32", "minimum": 1, "maximum": 16,
                "description": "Copies of each block where a file's writer says nothing; absent: 3.",
            },
            "nameNodes": {
                "type": "integer", "format": "int32", "minimum": 1, "maximum": NAME_NODES,
                "description": "How many NameNodes there are; absent: 2. One alone needs neither JournalNodes nor ZooKeeper; while it is away nothing can be read. Can't be changed.",
            },
            "dataNodes": {
                "type": "integer", "format": "int32", "minimum": 1, "maximum": 1000,
                "description": "How many DataNodes there are; absent: 4.",
            },
            "disks": {
                "type": "integer", "format": "int32", "minimum": 1, "maximum": MOST_DISKS,
                "description": "How many volumes each DataNode has; absent: 1. One that fails takes the copies on it, the others serve on. Can't be changed.",
            },
            "racks": {
                "type": "string", "enum": ["Node", "Zone"],
                "description": "What copies of a block are kept apart by: each Node by itself (so it is where this is absent), or by the Zone (label topology.kubernetes.io/zone) and then the node.",
            },
            "clientNamespaces": {
                "type": "array", "maxItems": 64, "x-kubernetes-list-type": "set",
                "description": "Namespaces beside its own whose pods may reach it, and whose sessions use it without being told. Whoever reaches it is trusted: it believes the name that a client gives itself.",
                "items": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
            },
            "storage": {
                "type": "object",
                "description": "Sizes of the volumes.",
                "properties": storage,
            },
        },
    })
}

fn status() -> Value {
    json!({
        "type": "object",
        "properties": {
            "observedGeneration": {"type": "integer", "format": "int64"},
            "phase": {"type": "string", "enum": ["Pending", "Degraded", "Ready", "Invalid"]},
            "url": {"type": "string"},
            "active": {"type": "string"},
            "parts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string"},
                        "wanted": {"type": "integer", "format": "int32"},
                        "ready": {"type": "integer", "format": "int32"},
                    },
                },
            },
            "conditions": conditions(),
        },
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_the_golden_one() {
        insta::assert_json_snapshot!("hdfs_crd", super::hdfs_cluster());
    }
}
