//! Who may go where: a pure decision.

use crate::net::address::{MACHINE, is_inside};
use emberyard_pod::network::Block;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

/// What happens to a connection that leaves the yard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Dial this address from the machine's side.
    Dial(SocketAddrV4),
    /// Reset it.
    Refuse,
}

/// The relay's rules.
#[derive(Debug, Clone)]
pub struct RelayPolicy {
    allowed: BTreeSet<u16>,
}

/// Networks that no pod reaches through the relay: "this host", and link-local addresses, where clouds hand out the
/// machine's credentials.
const FORBIDDEN: [Block; 2] = [Block::new(Ipv4Addr::UNSPECIFIED, 8), Block::new(Ipv4Addr::new(169, 254, 0, 0), 16)];

impl RelayPolicy {
    /// Rules that allow these ports of the machine's loopback.
    pub fn new(allowed: BTreeSet<u16>) -> Self {
        Self { allowed }
    }

    /// Decides by the destination the program asked for.
    pub fn decide(&self, wanted: SocketAddrV4) -> Verdict {
        let address = *wanted.ip();
        if address == MACHINE {
            return if self.allowed.contains(&wanted.port()) {
                Verdict::Dial(SocketAddrV4::new(Ipv4Addr::LOCALHOST, wanted.port()))
            } else {
                Verdict::Refuse
            };
        }
        let forbidden = is_inside(address)
            || address.is_multicast()
            || address.is_broadcast()
            || FORBIDDEN.into_iter().any(|network| network.contains(address));
        if forbidden { Verdict::Refuse } else { Verdict::Dial(wanted) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decides_by_destination() {
        let policy = RelayPolicy::new(BTreeSet::from([5000]));
        let table = [
            ("93.184.216.34:443", Some("93.184.216.34:443")),
            ("192.168.1.20:9000", Some("192.168.1.20:9000")),
            ("10.41.0.2:5000", Some("127.0.0.1:5000")),
            ("10.41.0.2:22", None),
            ("10.41.0.1:6443", None),
            ("10.42.0.9:80", None),
            ("10.96.0.1:443", None),
            ("127.0.0.1:5000", None),
            ("0.0.0.0:5000", None),
            ("169.254.169.254:80", None),
            ("224.0.0.1:80", None),
            ("255.255.255.255:80", None),
        ];
        for (wanted, dialled) in table {
            let expected = dialled.map_or(Verdict::Refuse, |d: &str| Verdict::Dial(d.parse().unwrap()));
            assert_eq!(policy.decide(wanted.parse().unwrap()), expected, "{wanted}");
        }
    }
}
