//! Which connections NetworkPolicies let into a pod and out of it.
//!
//! Rule source: the API reference of `networking.k8s.io/v1` `NetworkPolicy`, and the concept page beside it. IPv4 only, as the
//! pods' network is.

mod block;
mod gate;
mod member;
mod policy;

pub use block::Block;
pub use gate::{Gate, Gates, Network, Opened};
pub use member::{Member, PortName};
pub use policy::Policy;

/// A transport protocol that has ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// Reads a name as objects have it; absent means TCP.
    pub fn read(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("TCP") => Some(Self::Tcp),
            Some("UDP") => Some(Self::Udp),
            Some("SCTP") => Some(Self::Sctp),
            Some(_) => None,
        }
    }

    /// Its number in an IP header.
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }
}

/// Ports of one protocol, from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ports {
    /// Their protocol.
    pub protocol: Protocol,
    /// The lowest.
    pub first: u16,
    /// The highest, not below the first.
    pub last: u16,
}

impl Ports {
    /// Whether a port is one of them.
    pub fn contain(self, protocol: Protocol, port: u16) -> bool {
        self.protocol == protocol && (self.first..=self.last).contains(&port)
    }
}
