//! How the address of a pod tells the node it is on.
//!
//! A node has a range of addresses for its pods (`spec.podCIDR`). Where all ranges are of one size, two pods are on one node
//! exactly if their addresses begin with the same bits. So nobody has to keep a table of pods.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// Length in bits of what addresses of one node have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodePrefix(u8);

impl NodePrefix {
    /// In bits.
    pub fn bits(self) -> u8 {
        self.0
    }
}

impl fmt::Display for NodePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A range of addresses, as `10.42.3.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    network: u32,
    prefix: NodePrefix,
}

impl Range {
    /// Its first address.
    pub(super) fn network(self) -> Ipv4Addr {
        let others = 32 - u32::from(self.prefix.0);
        (self.network >> others << others).into()
    }

    fn holds(self, address: Ipv4Addr) -> bool {
        let others = 32 - u32::from(self.prefix.0);
        u32::from(address) >> others == self.network >> others
    }
}

impl FromStr for Range {
    type Err = NoPrefix;

    fn from_str(text: &str) -> Result<Self, NoPrefix> {
        let unfit = || NoPrefix::Unfit(text.to_owned());
        let (address, bits) = text.split_once('/').ok_or_else(unfit)?;
        let address: Ipv4Addr = address.parse().map_err(|_| unfit())?;
        let bits = bits.parse().ok().filter(|bits| (1..32).contains(bits)).ok_or_else(unfit)?;
        Ok(Self { network: address.into(), prefix: NodePrefix(bits) })
    }
}

/// Why addresses do not tell their node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPrefix {
    /// There are no nodes, so nothing is known.
    #[error("there is no node")]
    NoNode,
    /// Pods get their addresses in another way.
    #[error("nodes have no range of addresses for their pods (spec.podCIDR)")]
    NoRange,
    /// Ranges of different sizes.
    #[error("the nodes' ranges of addresses for pods differ in size (/{0} and /{1})")]
    Sizes(NodePrefix, NodePrefix),
    /// Something else than a range of IPv4 addresses.
    #[error("a node's range of addresses for pods is {0}, which is not one of IPv4")]
    Unfit(String),
    /// Pods have addresses from elsewhere: the network does not use the nodes' ranges.
    #[error("pods have addresses that are not of their node's range (spec.podCIDR)")]
    Elsewhere,
}

/// A node: its name and its `spec.podCIDR`.
pub type NodeRange<'a> = (&'a str, Option<&'a str>);
/// A pod with an address of its own: its node and its address.
pub type PodPlace<'a> = (&'a str, &'a str);

/// What the nodes, and the places of some pods, say about addresses.
///
/// A node without a range may just have come, and does not count beside others. Nor does a single pod with an address from
/// elsewhere: it may be of an earlier life of its node.
pub fn node_prefix<'a>(nodes: &[NodeRange<'a>], pods: &[PodPlace<'a>]) -> Result<NodePrefix, NoPrefix> {
    if nodes.is_empty() {
        return Err(NoPrefix::NoNode);
    }
    let ranges: Vec<(&str, Range)> = nodes
        .iter()
        .filter_map(|(name, range)| range.map(|range| Ok((*name, range.parse()?))))
        .collect::<Result<_, _>>()?;
    let prefix = ranges.first().ok_or(NoPrefix::NoRange)?.1.prefix;
    if let Some((_, other)) = ranges.iter().find(|(_, range)| range.prefix != prefix) {
        return Err(NoPrefix::Sizes(prefix, other.prefix));
    }
    let inside: Vec<bool> = pods
        .iter()
        .filter_map(|(node, address)| {
            let (_, range) = ranges.iter().find(|(name, _)| name == node)?;
            address.parse().ok().map(|address| range.holds(address))
        })
        .collect();
    let right = inside.iter().filter(|inside| **inside).count();
    if right * 2 < inside.len() { Err(NoPrefix::Elsewhere) } else { Ok(prefix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(nodes: &[NodeRange<'_>], pods: &[PodPlace<'_>]) -> String {
        match node_prefix(nodes, pods) {
            Ok(prefix) => prefix.to_string(),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn ranges_of_one_size_tell_the_node() {
        let nodes = [("a", Some("10.42.1.0/24")), ("b", Some("10.42.2.0/24")), ("new", None)];
        assert_eq!(said(&nodes, &[]), "24");
        assert_eq!(
            said(&nodes, &[("a", "10.42.1.7"), ("b", "10.42.2.3"), ("new", "1.2.3.4"), ("gone", "1.2.3.4")]),
            "24"
        );
        // One pod of a node that has had another range before.
        assert_eq!(said(&nodes, &[("a", "10.42.9.7"), ("b", "10.42.2.3")]), "24");
        let halves = [("a", Some("10.0.0.0/25")), ("b", Some("10.0.0.128/25"))];
        assert_eq!(said(&halves, &[("a", "10.0.0.127"), ("b", "10.0.0.128")]), "25");
    }

    #[test]
    fn what_tells_nothing() {
        for (nodes, pods, part) in [
            (&[][..], &[][..], "no node"),
            (&[("a", None)], &[], "no range"),
            (&[("a", Some("10.0.0.0/24")), ("b", Some("10.0.1.0/25"))], &[], "/24 and /25"),
            (&[("a", Some("fd00::/64"))], &[], "not one of IPv4"),
            (&[("a", Some("10.0.0.0/33"))], &[], "not one of IPv4"),
            (&[("a", Some("10.0.0.0/24"))], &[("a", "192.168.0.4")], "not of their node's range"),
        ] {
            assert!(said(nodes, pods).contains(part), "{nodes:?}: {}", said(nodes, pods));
        }
    }
}
