//! JournalNodes: where the active NameNode writes what it changes, and the standby reads it.

use super::names::JOURNAL_NODES;
use super::set::{ETC, Evicted, Server, servers};
use super::validate::Plan;
use serde_json::{Value, json};

pub(crate) const PART: &str = "journalnode";
pub(crate) const RPC: u16 = 8485;
pub(crate) const WEB: u16 = 8480;

pub(crate) fn objects(plan: &Plan) -> Vec<Value> {
    servers(
        plan,
        Server {
            name: PART,
            count: JOURNAL_NODES,
            ports: &[("rpc", RPC), ("http", WEB)],
            // One that listens is not written to yet; its script says when. To start a process takes more than to knock.
            ready: json!({"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 2}),
            volume: plan.sizes.journal_node,
            disks: 1,
            command: json!(["bash", format!("{ETC}/journalnode.sh")]),
            memory: 128,
            evicted: Evicted::AsAnother,
        },
    )
}

/// The names of all of them in the cluster's DNS.
pub(crate) fn hosts(plan: &Plan) -> Vec<String> {
    (0..JOURNAL_NODES).map(|ordinal| plan.names().host(PART, ordinal)).collect()
}
