//! Where other pods stand, as far as this pod cares: affinity, anti-affinity and spreading over domains of nodes.

use super::cluster::Cluster;
use super::filter::{repelling, selects};
use super::node::NodeInfo;
use super::pod::PodInfo;
use super::term::Spread;
use std::collections::{BTreeMap, BTreeSet};

/// A domain: topology key and value.
type Domain = (String, String);

/// The other pods' standing, counted once for all nodes.
#[derive(Debug, Default)]
pub(super) struct Topology {
    /// Keys of the pod's affinity terms with the domains where pods that it wants near are; `None` when the pod may open the first domain itself.
    near: Vec<(String, Option<BTreeSet<String>>)>,
    /// Domains from which the pod keeps away.
    apart: BTreeSet<Domain>,
    /// Domains whose pods keep the pod away.
    kept_off: BTreeSet<Domain>,
    spread: Vec<Balance>,
    /// Constraints that are only wishes.
    wishes: Vec<Balance>,
}

/// How many of the pods to spread each domain has.
#[derive(Debug)]
struct Balance {
    topology: String,
    counts: BTreeMap<String, i64>,
    /// The most pods that a domain may have before the pod comes.
    limit: i64,
}

impl Topology {
    pub(super) fn of(pod: &PodInfo, cluster: &Cluster) -> Self {
        let mut topology = Self::default();
        topology.look_near(pod, cluster);
        for other_node in cluster.nodes.values().filter(|_| !pod.apart.is_empty()) {
            for other in cluster.on(other_node) {
                for term in pod.apart.iter().filter(|term| term.matches(other, cluster)) {
                    topology.apart.extend(domain(&term.topology, other_node));
                }
            }
        }
        for other in cluster.keeping_apart.iter().filter_map(|key| cluster.pods.get(key)) {
            let Some(node) = other.node.as_ref().and_then(|name| cluster.nodes.get(name)) else { continue };
            for term in other.apart.iter().filter(|term| term.matches(pod, cluster)) {
                topology.kept_off.extend(domain(&term.topology, node));
            }
        }
        for constraint in &pod.spread {
            let balance = Balance::of(constraint, pod, cluster);
            if constraint.strict { topology.spread.push(balance) } else { topology.wishes.push(balance) }
        }
        topology
    }

    fn look_near(&mut self, pod: &PodInfo, cluster: &Cluster) {
        if pod.near.is_empty() {
            return;
        }
        let wanted = |other: &PodInfo| pod.near.iter().all(|term| term.matches(other, cluster));
        let nodes: Vec<&NodeInfo> = cluster.nodes.values().filter(|node| cluster.on(node).any(&wanted)).collect();
        let first = nodes.is_empty() && wanted(pod);
        for term in &pod.near {
            let values = nodes.iter().filter_map(|node| node.label(&term.topology)).map(str::to_owned).collect();
            self.near.push((term.topology.clone(), (!first).then_some(values)));
        }
    }

    /// Why the pod may not be placed on the node for the sake of other pods, in Kubernetes' words.
    pub(super) fn obstacle(&self, node: &NodeInfo) -> Option<&'static str> {
        for balance in &self.spread {
            let Some(value) = node.label(&balance.topology) else {
                return Some("node(s) didn't match pod topology spread constraints (missing required label)");
            };
            if balance.count(value) > balance.limit {
                return Some("node(s) didn't match pod topology spread constraints");
            }
        }
        let near = self.near.iter().all(|(key, domains)| {
            node.label(key).is_some_and(|value| domains.as_ref().is_none_or(|domains| domains.contains(value)))
        });
        if !near {
            return Some("node(s) didn't match pod affinity rules");
        }
        let stands_in =
            |domains: &BTreeSet<Domain>| domains.iter().any(|(key, value)| node.label(key) == Some(value.as_str()));
        if stands_in(&self.apart) {
            return Some("node(s) didn't match pod anti-affinity rules");
        }
        stands_in(&self.kept_off).then_some("node(s) didn't satisfy existing pods anti-affinity rules")
    }

    /// How crowded the node's domains are, where the pod only wishes to be spread.
    pub(super) fn crowd(&self, node: &NodeInfo) -> i64 {
        let crowd = |balance: &Balance| node.label(&balance.topology).map_or(i64::MAX, |value| balance.count(value));
        self.wishes.iter().map(crowd).fold(0, i64::saturating_add)
    }
}

impl Balance {
    /// Rule source: Kubernetes' topology spread documentation. The pod may go where the domain then has at most `maxSkew` more than the emptiest.
    fn of(constraint: &Spread, pod: &PodInfo, cluster: &Cluster) -> Self {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for node in cluster.nodes.values() {
            let left_out = constraint.honours_affinity && !selects(pod, node)
                || constraint.honours_taints && repelling(pod, node).is_some();
            let Some(value) = node.label(&constraint.topology).filter(|_| !left_out) else { continue };
            let here = cluster
                .on(node)
                .filter(|other| other.namespace == pod.namespace && !other.deleting && constraint.counts(other))
                .count();
            *counts.entry(value.to_owned()).or_default() += i64::try_from(here).unwrap_or(i64::MAX);
        }
        let domains = i64::try_from(counts.len()).unwrap_or(i64::MAX);
        let least = if domains < constraint.min_domains { 0 } else { counts.values().min().copied().unwrap_or(0) };
        let own = i64::from(constraint.counts(pod));
        Self {
            topology: constraint.topology.clone(),
            counts,
            limit: least.saturating_add(constraint.max_skew).saturating_sub(own),
        }
    }

    fn count(&self, value: &str) -> i64 {
        self.counts.get(value).copied().unwrap_or(0)
    }
}

fn domain(topology: &str, node: &NodeInfo) -> Option<Domain> {
    Some((topology.to_owned(), node.label(topology)?.to_owned()))
}
