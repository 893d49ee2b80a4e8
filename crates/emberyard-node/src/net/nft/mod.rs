//! The redirect of outgoing TCP to the relay, as nf_tables rules sent over netlink. No `nft` program is needed, and
//! it works in an unprivileged user and network namespace.
//!
//! Source of the numbers: `linux/netfilter/nf_tables.h` and `nfnetlink.h`.

mod expression;
mod message;

use super::address::{INSIDE, MACHINE};
use crate::error::NetError;
use expression::Rule;
use message::Batch;

const TABLE: &str = "emberyard";
const PREROUTING: (&str, u32) = ("prerouting", 0);
const OUTPUT: (&str, u32) = ("output", 3);
/// Where destination NAT happens, in the kernel's order of hooks.
const DESTINATION_NAT: i32 = -100;

/// (Re)places table `emberyard`: TCP to the machine's stand-in, and TCP to anywhere outside the yard, goes to `port`
/// of this namespace; both for what passes through and for what starts here.
pub(super) fn redirect(port: u16) -> Result<(), NetError> {
    let mut batch = Batch::new();
    // Add, delete, add: deletion of a table that is not there would undo the whole batch.
    batch.add_table(TABLE);
    batch.delete_table(TABLE);
    batch.add_table(TABLE);
    for (chain, hook) in [PREROUTING, OUTPUT] {
        batch.add_nat_chain(TABLE, chain, hook, DESTINATION_NAT);
        batch.add_rule(TABLE, chain, Rule::default().tcp().destination(MACHINE, 32).redirect(port));
        for (network, prefix) in INSIDE {
            batch.add_rule(TABLE, chain, Rule::default().destination(network, prefix).accept());
        }
        batch.add_rule(TABLE, chain, Rule::default().tcp().redirect(port));
    }
    batch.send()
}
