//! DataNodes: who holds the blocks.

use super::set::{ETC, Evicted, Server, answers, servers};
use super::validate::Plan;
use emberyard_model::hdfs::COMPONENT_LABEL;
use serde_json::{Value, json};

/// The part of those that hold the blocks.
pub const PART: &str = "datanode";
/// Label of one's pod while all its blocks have all their copies elsewhere: its eviction is refused without it.
pub const HANDED_OVER_LABEL: &str = "emberyard.dev/handed-over";
const DATA_TRANSFER: u16 = 9866;
const IPC: u16 = 9867;
const WEB: u16 = 9864;

/// Whether an object of an HDFS (a pod, a claim, a set) is of its DataNodes.
pub fn is_data_node(object: &Value) -> bool {
    object["metadata"]["labels"][COMPONENT_LABEL] == PART
}

pub(crate) fn objects(plan: &Plan) -> Vec<Value> {
    servers(
        plan,
        Server {
            name: PART,
            count: plan.kept,
            ports: &[("data", DATA_TRANSFER), ("ipc", IPC), ("http", WEB)],
            ready: answers(WEB),
            volume: plan.sizes.data_node,
            disks: plan.disks,
            command: json!(["bash", format!("{ETC}/datanode.sh")]),
            memory: 192,
            evicted: Evicted::OnceLabelled(HANDED_OVER_LABEL),
        },
    )
}
