//! Netlink messages of nf_tables: attributes, batches, and the kernel's answer.

use crate::error::NetError;
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with, sockopt};
use std::time::Duration;

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const SUBSYSTEM: u16 = 10;
const NEW_TABLE: u16 = 0;
const DELETE_TABLE: u16 = 2;
const NEW_CHAIN: u16 = 3;
const NEW_RULE: u16 = 6;
const NLMSG_ERROR: u16 = 2;
const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;
const IPV4: u8 = 2;
const NESTED: u16 = 0x8000;
const HEADER: usize = 16;

/// A list of netlink attributes. Numbers are big-endian, as nf_tables wants them.
#[derive(Default, Clone)]
pub(super) struct Attributes(Vec<u8>);

impl Attributes {
    fn put(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Raw bytes.
    pub(super) fn bytes(self, kind: u16, value: &[u8]) -> Self {
        self.put(kind, value)
    }

    /// Text with the ending zero.
    pub(super) fn text(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.put(kind, &bytes)
    }

    /// A 32-bit number.
    pub(super) fn number(self, kind: u16, value: u32) -> Self {
        self.put(kind, &value.to_be_bytes())
    }

    /// Attributes inside an attribute.
    pub(super) fn nest(self, kind: u16, inner: &Self) -> Self {
        self.put(kind | NESTED, &inner.0)
    }
}

/// Changes that the kernel makes all or none.
pub(super) struct Batch {
    bytes: Vec<u8>,
    sequence: u32,
    waiting: u32,
}

impl Batch {
    pub(super) fn new() -> Self {
        let mut batch = Self { bytes: Vec::new(), sequence: 0, waiting: 0 };
        batch.message(BATCH_BEGIN, REQUEST, 0, SUBSYSTEM, &Attributes::default());
        batch
    }

    fn message(&mut self, kind: u16, flags: u16, family: u8, resource: u16, attributes: &Attributes) {
        let length = HEADER + 4 + attributes.0.len();
        self.bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(self.sequence.to_ne_bytes());
        self.bytes.extend(0_u32.to_ne_bytes());
        self.bytes.extend([family, 0]);
        self.bytes.extend(resource.to_be_bytes());
        self.bytes.extend(&attributes.0);
        self.sequence += 1;
    }

    fn change(&mut self, kind: u16, flags: u16, attributes: &Attributes) {
        self.waiting += 1;
        self.message((SUBSYSTEM << 8) | kind, REQUEST | ACK | flags, IPV4, 0, attributes);
    }

    pub(super) fn add_table(&mut self, table: &str) {
        self.change(NEW_TABLE, CREATE, &Attributes::default().text(1, table));
    }

    pub(super) fn delete_table(&mut self, table: &str) {
        self.change(DELETE_TABLE, 0, &Attributes::default().text(1, table));
    }

    /// A chain of a kind (`nat`, `filter`) that packets come to at one of the kernel's hooks.
    pub(super) fn add_chain(&mut self, table: &str, chain: &str, kind: &str, hook: u32, priority: i32) {
        let hook = Attributes::default().number(1, hook).number(2, priority.cast_unsigned());
        let chain = Attributes::default().text(1, table).text(3, chain).nest(4, &hook).text(7, kind);
        self.change(NEW_CHAIN, CREATE, &chain);
    }

    pub(super) fn add_rule(&mut self, table: &str, chain: &str, expressions: Attributes) {
        let rule = Attributes::default().text(1, table).text(2, chain).nest(4, &expressions);
        self.change(NEW_RULE, CREATE | APPEND, &rule);
    }

    /// Sends the batch and waits for the kernel's word on each change.
    pub(super) fn send(mut self) -> Result<(), NetError> {
        self.message(BATCH_END, REQUEST, 0, SUBSYSTEM, &Attributes::default());
        let refused = |e: Errno| NetError::NoNfTables { reason: e.to_string() };
        let socket =
            socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(netlink::NETFILTER))
                .map_err(refused)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(Duration::from_secs(5))).map_err(refused)?;
        sendto(&socket, &self.bytes, SendFlags::empty(), &SocketAddrNetlink::new(0, 0)).map_err(refused)?;
        let mut buffer = vec![0_u8; 1 << 16];
        let mut heard = 0;
        while heard < self.waiting {
            let (length, _) = recv(&socket, buffer.as_mut_slice(), RecvFlags::empty()).map_err(refused)?;
            heard += acknowledged(&buffer[..length])?;
        }
        Ok(())
    }
}

/// Counts acknowledgements; the first refusal is the answer to the whole batch.
fn acknowledged(mut bytes: &[u8]) -> Result<u32, NetError> {
    let mut count = 0;
    while let Some((length, kind, code)) = header(bytes) {
        if kind == NLMSG_ERROR {
            if code != 0 {
                return Err(NetError::NoNfTables { reason: Errno::from_raw_os_error(-code).to_string() });
            }
            count += 1;
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(count)
}

fn header(bytes: &[u8]) -> Option<(usize, u16, i32)> {
    let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let code = i32::from_ne_bytes(bytes.get(HEADER..HEADER + 4)?.try_into().ok()?);
    (length >= HEADER).then_some((length, kind, code))
}
