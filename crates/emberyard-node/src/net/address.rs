//! The fixed addresses of a yard.

use emberyard_pod::network::Block;
use std::fmt;
use std::net::Ipv4Addr;

/// The yard's side of the node network: API server, relay, DNS forwarder.
pub const YARD: Ipv4Addr = Ipv4Addr::new(10, 41, 0, 1);
/// Stands for the machine itself: allowed ports of its loopback answer here.
pub const MACHINE: Ipv4Addr = Ipv4Addr::new(10, 41, 0, 2);
/// The name of [`MACHINE`] in the yard's DNS.
pub const MACHINE_NAME: &str = "machine.emberyard.internal";
/// Prefix length of the node network.
pub const NODE_PREFIX: u8 = 16;
/// Prefix length of one node's pod range.
pub const POD_PREFIX: u8 = 24;
/// Addresses of services.
pub const SERVICES: Block = Block::new(Ipv4Addr::new(10, 96, 0, 0), 16);
/// Addresses of nodes and of the yard itself.
pub const NODES: Block = Block::new(YARD, NODE_PREFIX);
/// A namespace's own addresses.
pub const LOOPBACK: Block = Block::new(Ipv4Addr::LOCALHOST, 8);
/// The cluster's DNS service.
pub const CLUSTER_DNS: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);
/// The domain of the cluster.
pub const CLUSTER_DOMAIN: &str = "cluster.local";
/// Networks that never leave the yard.
pub const INSIDE: [Block; 4] = [NODES, Block::new(Ipv4Addr::new(10, 42, 0, 0), 16), SERVICES, LOOPBACK];
/// Where the relay listens on the yard's side.
pub const RELAY_PORT: u16 = 15001;
/// Where the relay's HTTP door listens on the yard's side, if nothing is redirected.
pub const PROXY_PORT: u16 = 15002;
/// Where the DNS forwarder listens on the yard's side.
pub const DNS_PORT: u16 = 53;
/// The kubelet port of each node.
pub const KUBELET_PORT: u16 = 10250;

/// Whether `address` belongs to the yard (nodes, pods, services) or to a loopback.
pub fn is_inside(address: Ipv4Addr) -> bool {
    INSIDE.into_iter().any(|network| network.contains(address))
}

/// The number of a node, 0 to 244: fixes its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeNumber(u8);

impl NodeNumber {
    /// The highest number.
    pub const MAX: u8 = 244;

    /// Checks and wraps; `None` above 244, where node addresses end.
    pub const fn new(number: u8) -> Option<Self> {
        if number <= Self::MAX { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The node's own address, `10.41.0.(10+k)`.
    pub const fn node_ip(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 41, 0, 10 + self.0)
    }

    /// The pod range's network address, `10.42.k.0`.
    pub const fn pod_network(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 42, self.0, 0)
    }

    /// The pods' gateway, `10.42.k.1`.
    pub const fn pod_gateway(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 42, self.0, 1)
    }

    /// The pod range in CIDR notation.
    pub fn pod_cidr(self) -> String {
        format!("{}/{POD_PREFIX}", self.pod_network())
    }
}

impl fmt::Display for NodeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_give_addresses() {
        let node = NodeNumber::new(3).unwrap();
        assert_eq!(node.node_ip(), Ipv4Addr::new(10, 41, 0, 13));
        assert_eq!(node.pod_cidr(), "10.42.3.0/24");
        assert_eq!(NodeNumber::new(244).unwrap().node_ip(), Ipv4Addr::new(10, 41, 0, 254));
        assert_eq!(NodeNumber::new(245), None);
    }

    #[test]
    fn inside_and_outside() {
        for (text, inside) in [
            ("10.41.0.2", true),
            ("10.42.9.9", true),
            ("10.96.0.1", true),
            ("127.1.1.1", true),
            ("10.43.0.1", false),
            ("1.1.1.1", false),
        ] {
            assert_eq!(is_inside(text.parse().unwrap()), inside, "{text}");
        }
    }
}
