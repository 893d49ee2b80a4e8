//! The redirect of outgoing TCP to the relay, and the gates of pods, as nf_tables rules sent over netlink. No `nft` program is
//! needed, and it works in an unprivileged user and network namespace.
//!
//! Source of the numbers: `linux/netfilter/nf_tables.h` and `nfnetlink.h`.

mod expression;
mod message;

use super::address::{INSIDE, LOOPBACK, MACHINE};
use crate::error::NetError;
use emberyard_pod::network::{Block, Gate};
use expression::{Rule, Side};
use message::Batch;

const TABLE: &str = "emberyard";
const NAT: &str = "nat";
const FILTER: &str = "filter";
const PREROUTING: (&str, u32) = ("prerouting", 0);
const INPUT: (&str, u32) = ("input", 1);
const OUTPUT: (&str, u32) = ("output", 3);
/// Where destination NAT happens, in the kernel's order of hooks.
const DESTINATION_NAT: i32 = -100;
/// Where filters stand in that order.
const FILTERING: i32 = 0;

/// A batch that takes the table away, whether it is there or not.
fn without_table() -> Batch {
    let mut batch = Batch::new();
    // Add, delete: deletion of a table that is not there would undo the whole batch.
    batch.add_table(TABLE);
    batch.delete_table(TABLE);
    batch
}

/// (Re)places table `emberyard`: TCP to the machine's stand-in, and TCP to anywhere outside the yard, goes to `port`
/// of this namespace; both for what passes through and for what starts here.
pub(super) fn redirect(port: u16) -> Result<(), NetError> {
    let mut batch = without_table();
    batch.add_table(TABLE);
    for (chain, hook) in [PREROUTING, OUTPUT] {
        batch.add_chain(TABLE, chain, NAT, hook, DESTINATION_NAT);
        batch.add_rule(TABLE, chain, Rule::default().tcp().network(Side::To, Block::of(MACHINE)).redirect(port));
        for network in INSIDE {
            batch.add_rule(TABLE, chain, Rule::default().network(Side::To, network).accept());
        }
        batch.add_rule(TABLE, chain, Rule::default().tcp().redirect(port));
    }
    batch.send()
}

/// (Re)places table `emberyard` of a pod's namespace: of what comes in and goes out, only what its gates leave open, besides
/// what belongs to connections that were let through, what stays in the pod, and what the networks beside each gate send or are
/// sent.
pub(super) fn gate(ingress: (&Gate, &[Block]), egress: (&Gate, &[Block])) -> Result<(), NetError> {
    let mut batch = without_table();
    let ways = [(ingress, INPUT, Side::From), (egress, OUTPUT, Side::To)];
    if ways.iter().any(|((gate, _), ..)| **gate != Gate::Open) {
        batch.add_table(TABLE);
    }
    for ((gate, always), (chain, hook), side) in ways {
        let Gate::Only(opened) = gate else { continue };
        batch.add_chain(TABLE, chain, FILTER, hook, FILTERING);
        batch.add_rule(TABLE, chain, Rule::default().known().accept());
        for network in always.iter().copied().chain([LOOPBACK]) {
            batch.add_rule(TABLE, chain, Rule::default().network(side, network).accept());
        }
        for one in opened {
            let mut rule = Rule::default().network(side, one.peer);
            if let Some(ports) = one.ports {
                rule = rule.protocol(ports.protocol.number()).ports(ports.first, ports.last);
            }
            batch.add_rule(TABLE, chain, rule.accept());
        }
        batch.add_rule(TABLE, chain, Rule::default().drop());
    }
    batch.send()
}
