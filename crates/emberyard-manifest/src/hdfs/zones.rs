//! The zones of nodes, as NameNodes read them.
//!
//! Like the list of DataNodes that are to go it is no part of the configuration: a node that comes starts nothing anew.

use super::locality::Range;
use super::set::owned;
use super::validate::Plan;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Where NameNodes find it.
pub(crate) const FOLDER: &str = "/etc/hdfs-zones";
const FILE: &str = "zones";
/// Label of a node with its zone: <https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone>
pub(crate) const LABEL: &str = "topology.kubernetes.io/zone";
/// Of nodes without that label: Hadoop's own word.
const NONE: &str = "default-rack";

/// The ConfigMap with the first address of each node's range and the node's zone on each line. Nodes without a range of IPv4
/// addresses are left out.
pub fn zones(plan: &Plan, nodes: &[&Value]) -> Value {
    let mut list: Vec<_> = nodes
        .iter()
        .filter_map(|node| {
            let range: Range = node["spec"]["podCIDR"].as_str()?.parse().ok()?;
            Some((range.network(), node["metadata"]["labels"][LABEL].as_str().unwrap_or(NONE)))
        })
        .collect();
    list.sort_unstable();
    let mut text = String::new();
    for (network, zone) in list {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{network} {zone}");
    }
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": owned(plan, &plan.names().zones(), "config"),
        "data": {FILE: text},
    })
}
