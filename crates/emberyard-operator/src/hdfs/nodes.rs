//! The cluster's nodes, as far as addresses of pods tell them.

use crate::index::Index;
use crate::view::{is_leaving, serves};
use emberyard_client::WatchEvent;
use emberyard_manifest::hdfs::{NoPrefix, NodePrefix, NodeRange, PodPlace, node_prefix};
use serde_json::Value;
use std::collections::BTreeSet;

/// Nodes, and what they say about addresses.
#[derive(Debug)]
pub struct Nodes {
    index: Index,
    prefix: Result<NodePrefix, NoPrefix>,
    /// Ranges of addresses at the last look.
    ranges: BTreeSet<String>,
}

impl Default for Nodes {
    fn default() -> Self {
        Self { index: Index::default(), prefix: Err(NoPrefix::NoNode), ranges: BTreeSet::new() }
    }
}

impl Nodes {
    /// Takes an event in.
    pub fn apply(&mut self, event: WatchEvent) {
        self.index.apply(event);
    }

    /// Whether the first list has arrived.
    pub fn synced(&self) -> bool {
        self.index.synced()
    }

    /// How addresses tell their node, or why they don't.
    pub fn prefix(&self) -> &Result<NodePrefix, NoPrefix> {
        &self.prefix
    }

    /// Where addresses of pods come from, as CIDR.
    pub fn ranges(&self) -> &BTreeSet<String> {
        &self.ranges
    }

    /// All of them.
    pub fn all(&self) -> Vec<&Value> {
        self.index.values().collect()
    }

    /// Names of nodes that are to be emptied: nobody may be put there any more.
    pub fn emptied(&self) -> BTreeSet<&str> {
        let is_emptied = |node: &&Value| node["spec"]["unschedulable"] == true || is_leaving(node);
        self.index.values().filter(is_emptied).filter_map(|node| node["metadata"]["name"].as_str()).collect()
    }

    /// Looks again; answers whether something changed. A cluster that has lost all its nodes is as it was: what is known
    /// would have to be learnt again, and every HDFS started anew.
    pub fn look<'a>(&mut self, pods: impl Iterator<Item = &'a Value>) -> bool {
        let nodes: Vec<NodeRange<'_>> = self.index.values().map(range).collect();
        if nodes.is_empty() {
            return false;
        }
        let places: Vec<PodPlace<'_>> = pods.filter_map(place).collect();
        let found = node_prefix(&nodes, &places);
        let ranges = nodes.iter().filter_map(|(_, range)| range.map(str::to_owned)).collect();
        let changed = (&found, &ranges) != (&self.prefix, &self.ranges);
        (self.prefix, self.ranges) = (found, ranges);
        changed
    }
}

fn range(node: &Value) -> NodeRange<'_> {
    (node["metadata"]["name"].as_str().unwrap_or_default(), node["spec"]["podCIDR"].as_str())
}

/// Where a pod that serves is; none if it has its node's own address.
fn place(pod: &Value) -> Option<PodPlace<'_>> {
    (serves(pod) && pod["spec"]["hostNetwork"] != true).then_some(())?;
    Some((pod["spec"]["nodeName"].as_str()?, pod["status"]["podIP"].as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(name: &str, range: &str) -> Value {
        json!({"metadata": {"name": name}, "spec": {"podCIDR": range}})
    }

    #[test]
    fn what_is_known_stays_when_all_nodes_are_gone() {
        let mut nodes = Nodes::default();
        assert!(!nodes.look(std::iter::empty()));
        nodes.apply(WatchEvent::Restarted(vec![node("a", "10.42.1.0/24")]));
        assert!(nodes.look(std::iter::empty()));
        assert!(nodes.synced() && nodes.prefix().is_ok());
        nodes.apply(WatchEvent::Restarted(Vec::new()));
        assert!(!nodes.look(std::iter::empty()));
        assert!(nodes.prefix().is_ok() && nodes.ranges().contains("10.42.1.0/24"));
    }

    /// Who may reach an HDFS depends on it.
    #[test]
    fn a_node_that_comes_is_a_change() {
        let mut nodes = Nodes::default();
        nodes.apply(WatchEvent::Restarted(vec![node("a", "10.42.1.0/24")]));
        assert!(nodes.look(std::iter::empty()) && !nodes.look(std::iter::empty()));
        nodes.apply(WatchEvent::Added(node("b", "10.42.2.0/24")));
        assert!(nodes.look(std::iter::empty()));
    }

    #[test]
    fn pods_from_elsewhere_are_noticed_once_they_serve() {
        let mut nodes = Nodes::default();
        nodes.apply(WatchEvent::Restarted(vec![node("a", "10.42.1.0/24")]));
        let mut pod = json!({"metadata": {}, "spec": {"nodeName": "a"}, "status": {"podIP": "192.168.7.7"}});
        nodes.look([&pod].into_iter());
        assert!(nodes.prefix().is_ok());
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
        assert!(nodes.look([&pod].into_iter()));
        assert_eq!(nodes.prefix(), &Err(NoPrefix::Elsewhere));
    }
}
