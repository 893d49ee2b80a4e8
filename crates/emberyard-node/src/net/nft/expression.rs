//! Rules as lists of nf_tables expressions.

use super::message::Attributes;
use crate::net::address::mask;
use std::net::Ipv4Addr;

const REGISTER_VERDICT: u32 = 0;
const REGISTER_1: u32 = 1;
const META_L4PROTO: u32 = 16;
const IPPROTO_TCP: u8 = 6;
const PAYLOAD_NETWORK_HEADER: u32 = 1;
const IPV4_DESTINATION: u32 = 16;
const VERDICT_ACCEPT: u32 = 1;

/// One rule: conditions from left to right, then what to do.
#[derive(Default)]
pub(super) struct Rule {
    expressions: Attributes,
}

impl Rule {
    fn with(mut self, name: &str, data: &Attributes) -> Self {
        let expression = Attributes::default().text(1, name).nest(2, data);
        self.expressions = self.expressions.nest(1, &expression);
        self
    }

    fn equals(self, value: &[u8]) -> Self {
        let value = Attributes::default().bytes(1, value);
        self.with("cmp", &Attributes::default().number(1, REGISTER_1).number(2, 0).nest(3, &value))
    }

    /// The packet is TCP.
    pub(super) fn tcp(self) -> Self {
        let load = Attributes::default().number(1, REGISTER_1).number(2, META_L4PROTO);
        self.with("meta", &load).equals(&[IPPROTO_TCP])
    }

    /// The packet goes to this network.
    pub(super) fn destination(self, network: Ipv4Addr, prefix: u8) -> Self {
        let load = Attributes::default()
            .number(1, REGISTER_1)
            .number(2, PAYLOAD_NETWORK_HEADER)
            .number(3, IPV4_DESTINATION)
            .number(4, 4);
        let bits = Attributes::default()
            .number(1, REGISTER_1)
            .number(2, REGISTER_1)
            .number(3, 4)
            .nest(4, &Attributes::default().bytes(1, &mask(prefix).to_be_bytes()))
            .nest(5, &Attributes::default().bytes(1, &[0; 4]));
        self.with("payload", &load).with("bitwise", &bits).equals(&network.octets())
    }

    /// Leave the packet as it is.
    pub(super) fn accept(self) -> Attributes {
        let verdict = Attributes::default().nest(2, &Attributes::default().number(1, VERDICT_ACCEPT));
        let load = Attributes::default().number(1, REGISTER_VERDICT).nest(2, &verdict);
        self.with("immediate", &load).expressions
    }

    /// Send the packet to this port of the receiving namespace.
    pub(super) fn redirect(self, port: u16) -> Attributes {
        let value = Attributes::default().bytes(1, &port.to_be_bytes());
        let load = Attributes::default().number(1, REGISTER_1).nest(2, &value);
        self.with("immediate", &load).with("redir", &Attributes::default().number(1, REGISTER_1)).expressions
    }
}
