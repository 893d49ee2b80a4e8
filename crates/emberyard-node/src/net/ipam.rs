//! Which pod has which address: a pure table, rebuilt from the pods' checkpoints after a restart.

use super::address::NodeNumber;
use crate::error::NetError;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The addresses of one node's pods, by owner.
#[derive(Debug)]
pub struct Ipam {
    node: NodeNumber,
    used: BTreeMap<u8, String>,
    last: u8,
}

/// Hosts `.2` to `.254`: `.1` is the gateway, `.255` the broadcast address.
const FIRST: u8 = 2;
const LAST: u8 = 254;

impl Ipam {
    /// An empty table.
    pub fn new(node: NodeNumber) -> Self {
        Self { node, used: BTreeMap::new(), last: FIRST - 1 }
    }

    /// Notes that a pod found running has this address. Addresses of other networks are ignored.
    pub fn adopt(&mut self, owner: &str, address: Ipv4Addr) {
        let [a, b, c, host] = address.octets();
        let network = self.node.pod_network().octets();
        if [a, b, c] == network[..3] && (FIRST..=LAST).contains(&host) {
            self.used.insert(host, owner.to_owned());
            self.last = self.last.max(host);
        }
    }

    /// The owner's address: the one it has, else the next free one after the last given, so that an address rests
    /// before it is used again (clients that cached it then fail, instead of meeting a stranger).
    ///
    /// # Errors
    /// [`NetError::Exhausted`] when all 253 are in use.
    pub fn assign(&mut self, owner: &str) -> Result<Ipv4Addr, NetError> {
        if let Some((&host, _)) = self.used.iter().find(|(_, o)| o.as_str() == owner) {
            return Ok(self.at(host));
        }
        let after = (FIRST..=LAST).filter(|h| *h > self.last).chain(FIRST..=LAST);
        let host = after.into_iter().find(|h| !self.used.contains_key(h)).ok_or(NetError::Exhausted)?;
        self.used.insert(host, owner.to_owned());
        self.last = host;
        Ok(self.at(host))
    }

    /// Whether the owner has an address.
    pub fn has(&self, owner: &str) -> bool {
        self.used.values().any(|o| o == owner)
    }

    /// Gives the owner's address back.
    pub fn release(&mut self, owner: &str) {
        self.used.retain(|_, o| o != owner);
    }

    fn at(&self, host: u8) -> Ipv4Addr {
        let [a, b, c, _] = self.node.pod_network().octets();
        Ipv4Addr::new(a, b, c, host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Ipam {
        Ipam::new(NodeNumber::new(7).unwrap())
    }

    #[test]
    fn gives_each_its_own_and_rests_before_reuse() {
        let mut ipam = table();
        assert_eq!(ipam.assign("a").unwrap().to_string(), "10.42.7.2");
        assert_eq!(ipam.assign("b").unwrap().to_string(), "10.42.7.3");
        assert_eq!(ipam.assign("a").unwrap().to_string(), "10.42.7.2");
        ipam.release("a");
        assert!(!ipam.has("a") && ipam.has("b"));
        assert_eq!(ipam.assign("c").unwrap().to_string(), "10.42.7.4");
    }

    #[test]
    fn wraps_fills_and_refuses() {
        let mut ipam = table();
        for i in 0..253 {
            ipam.assign(&i.to_string()).unwrap();
        }
        assert!(ipam.assign("more").is_err());
        ipam.release("100");
        assert_eq!(ipam.assign("more").unwrap().to_string(), "10.42.7.102");
    }

    #[test]
    fn adopts_what_runs() {
        let mut ipam = table();
        ipam.adopt("old", Ipv4Addr::new(10, 42, 7, 9));
        ipam.adopt("stranger", Ipv4Addr::new(10, 42, 8, 2));
        assert_eq!(ipam.assign("new").unwrap().to_string(), "10.42.7.10");
        assert_eq!(ipam.assign("old").unwrap().to_string(), "10.42.7.9");
    }
}
