//! JournalNodes: where the active NameNode writes what it changes, and the standby reads it.

use super::names::JOURNAL_NODES;
use super::set::{Part, Runs, container, listens, objects as set};
use super::validate::Plan;
use serde_json::{Value, json};

pub(crate) const PART: &str = "journalnode";
pub(crate) const RPC: u16 = 8485;
pub(crate) const WEB: u16 = 8480;

pub(crate) fn objects(plan: &Plan) -> Vec<Value> {
    let command = json!(["hdfs", "journalnode"]);
    let mut server = container(plan, &Runs { name: PART, command, memory: 128 });
    server.insert("readinessProbe".to_owned(), listens(RPC));
    set(
        plan,
        Part {
            name: PART,
            count: JOURNAL_NODES,
            ports: &[("rpc", RPC), ("http", WEB)],
            volume: plan.sizes.journal_node,
            prepare: Vec::new(),
            containers: vec![server.into()],
            volumes: Vec::new(),
        },
    )
}
