//! DataNodes: who holds the blocks.

use super::set::{Part, Runs, container, listens, objects as set};
use super::validate::Plan;
use serde_json::{Value, json};

pub(crate) const PART: &str = "datanode";
const DATA_TRANSFER: u16 = 9866;
const IPC: u16 = 9867;
const WEB: u16 = 9864;

pub(crate) fn objects(plan: &Plan) -> Vec<Value> {
    let command = json!(["hdfs", "datanode"]);
    let mut server = container(plan, &Runs { name: PART, command, memory: 192 });
    server.insert("readinessProbe".to_owned(), listens(WEB));
    set(
        plan,
        Part {
            name: PART,
            count: plan.data_nodes,
            ports: &[("data", DATA_TRANSFER), ("ipc", IPC), ("http", WEB)],
            volume: plan.sizes.data_node,
            prepare: Vec::new(),
            containers: vec![server.into()],
            volumes: Vec::new(),
        },
    )
}
