//! Rules as lists of nf_tables expressions.

use super::message::Attributes;
use emberyard_pod::network::Block;

const REGISTER_VERDICT: u32 = 0;
const REGISTER_1: u32 = 1;
const META_L4PROTO: u32 = 16;
const IPPROTO_TCP: u8 = 6;
const PAYLOAD_NETWORK_HEADER: u32 = 1;
const PAYLOAD_TRANSPORT_HEADER: u32 = 2;
const IPV4_SOURCE: u32 = 12;
const IPV4_DESTINATION: u32 = 16;
/// Of TCP, UDP and SCTP.
const PORT_OF_DESTINATION: u32 = 2;
const CONNECTION_STATE: u32 = 0;
/// `NF_CT_STATE_BIT` of established and related connections.
const KNOWN: u32 = 1 << 1 | 1 << 2;
const EQUAL: u32 = 0;
const DIFFERENT: u32 = 1;
const AT_MOST: u32 = 3;
const AT_LEAST: u32 = 5;
const VERDICT_DROP: u32 = 0;
const VERDICT_ACCEPT: u32 = 1;

/// Which of the two is asked for.
#[derive(Clone, Copy)]
pub(super) enum Side {
    /// Where packets come from: their source, the link they came by.
    From,
    /// Where they go.
    To,
}

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

    /// What was loaded, compared with a value.
    fn is(self, how: u32, value: &[u8]) -> Self {
        let value = Attributes::default().bytes(1, value);
        self.with("cmp", &Attributes::default().number(1, REGISTER_1).number(2, how).nest(3, &value))
    }

    fn equals(self, value: &[u8]) -> Self {
        self.is(EQUAL, value)
    }

    /// Some bits of the four bytes that were loaded.
    fn masked(self, mask: [u8; 4]) -> Self {
        let bits = Attributes::default()
            .number(1, REGISTER_1)
            .number(2, REGISTER_1)
            .number(3, 4)
            .nest(4, &Attributes::default().bytes(1, &mask))
            .nest(5, &Attributes::default().bytes(1, &[0; 4]));
        self.with("bitwise", &bits)
    }

    fn payload(self, header: u32, offset: u32, length: u32) -> Self {
        let load = Attributes::default().number(1, REGISTER_1).number(2, header).number(3, offset).number(4, length);
        self.with("payload", &load)
    }

    /// The packet is of this protocol.
    pub(super) fn protocol(self, number: u8) -> Self {
        let load = Attributes::default().number(1, REGISTER_1).number(2, META_L4PROTO);
        self.with("meta", &load).equals(&[number])
    }

    /// The packet is TCP.
    pub(super) fn tcp(self) -> Self {
        self.protocol(IPPROTO_TCP)
    }

    /// The packet comes from this network, or goes to it.
    pub(super) fn network(self, side: Side, network: Block) -> Self {
        let offset = match side {
            Side::From => IPV4_SOURCE,
            Side::To => IPV4_DESTINATION,
        };
        self.payload(PAYLOAD_NETWORK_HEADER, offset, 4)
            .masked(network.mask().to_be_bytes())
            .equals(&network.address().octets())
    }

    /// The packet goes to one of these ports.
    pub(super) fn ports(self, first: u16, last: u16) -> Self {
        let loaded = self.payload(PAYLOAD_TRANSPORT_HEADER, PORT_OF_DESTINATION, 2);
        if first == last {
            return loaded.equals(&first.to_be_bytes());
        }
        loaded.is(AT_LEAST, &first.to_be_bytes()).is(AT_MOST, &last.to_be_bytes())
    }

    /// The packet is of a connection that was let through before, or belongs to one.
    pub(super) fn known(self) -> Self {
        let load = Attributes::default().number(1, REGISTER_1).number(2, CONNECTION_STATE);
        self.with("ct", &load).masked(KNOWN.to_ne_bytes()).is(DIFFERENT, &[0; 4])
    }

    fn verdict(self, code: u32) -> Attributes {
        let verdict = Attributes::default().nest(2, &Attributes::default().number(1, code));
        let load = Attributes::default().number(1, REGISTER_VERDICT).nest(2, &verdict);
        self.with("immediate", &load).expressions
    }

    /// Leave the packet as it is.
    pub(super) fn accept(self) -> Attributes {
        self.verdict(VERDICT_ACCEPT)
    }

    /// Let the packet go no further.
    pub(super) fn drop(self) -> Attributes {
        self.verdict(VERDICT_DROP)
    }

    /// Send the packet to this port of the receiving namespace.
    pub(super) fn redirect(self, port: u16) -> Attributes {
        let value = Attributes::default().bytes(1, &port.to_be_bytes());
        let load = Attributes::default().number(1, REGISTER_1).nest(2, &value);
        self.with("immediate", &load).with("redir", &Attributes::default().number(1, REGISTER_1)).expressions
    }
}
