//! What the death of one node would take of an HDFS: pure.

use crate::view::is_leaving;
use emberyard_manifest::hdfs::{Plan, is_data_node};
use serde_json::Value;
use std::collections::BTreeMap;

/// The condition that says it: true where each DataNode has a node of its own.
pub const SPREAD: &str = "Spread";

/// Status, reason and message of the condition, once all DataNodes are somewhere.
pub fn said(plan: &Plan, pods: &[&Value]) -> Option<(&'static str, &'static str, String)> {
    let mut nodes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| is_data_node(pod) && !is_leaving(pod)) {
        let node = pod["spec"]["nodeName"].as_str()?;
        nodes.entry(node).or_default().push(pod["metadata"]["name"].as_str()?);
    }
    let all: usize = nodes.values().map(Vec::len).sum();
    // Of several alike the first, so that the same is said each time.
    let (node, most) = nodes.iter().rev().max_by_key(|(_, pods)| pods.len())?;
    let left = all - most.len();
    if most.len() == 1 {
        let message = format!("Each DataNode has a node of its own: the death of a node takes one of {all}.");
        return Some(("True", "OneEach", message));
    }
    let copies = plan.replication as usize;
    let blocks = if plan.node_prefix.is_some() && copies > 1 && left > 0 {
        "each block has a copy on another node"
    } else {
        "blocks whose copies are all there can't be read until they are back"
    };
    let short = if left < copies {
        format!(
            ", and the {left} that are left can't hold the {copies} copies that are wanted of what is written meanwhile"
        )
    } else {
        String::new()
    };
    let message = format!(
        "The death of {node} takes {} of {all} DataNodes ({}): {blocks}{short}. With {all} nodes each would have its own.",
        most.len(),
        most.join(", "),
    );
    Some(("False", "Shared", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberyard_manifest::Identity;
    use emberyard_manifest::hdfs::{DATA_NODE, HdfsSettings, node_prefix, validate};
    use emberyard_model::HdfsSpec;
    use emberyard_model::hdfs::COMPONENT_LABEL;
    use serde_json::json;

    fn message(replication: u32, by_node: bool, nodes: &[&str]) -> String {
        let identity = Identity { namespace: "d".to_owned(), name: "a".to_owned(), uid: "1".to_owned() };
        let settings = HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() };
        let spec = HdfsSpec { replication: Some(replication), ..HdfsSpec::default() };
        let prefix = node_prefix(&[("n1", Some("10.42.1.0/24"))], &[]).unwrap();
        let plan = validate(identity, spec, &settings).unwrap().by_node(by_node.then_some(prefix));
        let pods: Vec<Value> = nodes
            .iter()
            .enumerate()
            .map(|(number, node)| {
                let name = format!("dn-{number}");
                let labels = json!({COMPONENT_LABEL: DATA_NODE});
                json!({"metadata": {"name": name, "labels": labels}, "spec": {"nodeName": node}})
            })
            .collect();
        said(&plan, &pods.iter().collect::<Vec<_>>()).map_or_else(String::new, |(_, _, message)| message)
    }

    #[test]
    fn the_cost_of_a_nodes_death_is_said() {
        let own = "Each DataNode has a node of its own: the death of a node takes one of 4.";
        assert_eq!(message(3, true, &["n1", "n2", "n3", "n4"]), own);
        assert_eq!(
            message(2, true, &["n1", "n2", "n1", "n2"]),
            "The death of n1 takes 2 of 4 DataNodes (dn-0, dn-2): each block has a copy on another node. \
             With 4 nodes each would have its own."
        );
        assert_eq!(
            message(3, true, &["n1", "n2", "n2", "n3"]),
            "The death of n2 takes 2 of 4 DataNodes (dn-1, dn-2): each block has a copy on another node, and the 2 that \
             are left can't hold the 3 copies that are wanted of what is written meanwhile. With 4 nodes each would \
             have its own."
        );
        let lost = "blocks whose copies are all there can't be read until they are back";
        for (replication, by_node, nodes) in
            [(2, false, ["n1", "n1", "n2", "n3"]), (1, true, ["n1", "n1", "n2", "n3"]), (2, true, ["n1"; 4])]
        {
            assert!(message(replication, by_node, &nodes).contains(lost), "{replication} {by_node} {nodes:?}");
        }
        assert_eq!(message(3, true, &[]), "");
    }
}
