//! The definition of the HdfsCluster.

use super::{conditions, definition, quantity};
use crate::hdfs::{HDFS_CLUSTERS, HDFS_KIND};
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
    definition(&names, &columns, "A highly available HDFS.", &spec(), &status())
}

fn spec() -> Value {
    let size = |of: &str| quantity(&format!("Bytes of each {of}'s volume. Can't shrink."));
    json!({
        "type": "object",
        "properties": {
            "image": {"type": "string", "description": "Image with Hadoop and ZooKeeper; absent: the operator's default."},
            "replication": {
                "type": "integer", "format": "int32", "minimum": 1, "maximum": 16,
                "description": "Copies of each block where a file's writer says nothing; absent: 3.",
            },
            "dataNodes": {
                "type": "integer", "format": "int32", "minimum": 1, "maximum": 1000,
                "description": "How many DataNodes there are; absent: 4.",
            },
            "storage": {
                "type": "object",
                "description": "Sizes of the volumes.",
                "properties": {
                    "storageClass": {"type": "string", "description": "Storage class; absent: the cluster's default."},
                    "nameNode": size("NameNode"),
                    "journalNode": size("JournalNode"),
                    "zooKeeper": size("ZooKeeper server"),
                    "dataNode": size("DataNode"),
                },
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
