//! ZooKeeper: who elects the active NameNode.

use super::names::ZOO_KEEPERS;
use super::set::{ETC, Evicted, Server, answers, servers};
use super::validate::Plan;
use serde_json::{Value, json};

pub(crate) const PART: &str = "zookeeper";
pub(crate) const CLIENTS: u16 = 2181;
pub(crate) const FOLLOWERS: u16 = 2888;
pub(crate) const ELECTION: u16 = 3888;

pub(crate) fn objects(plan: &Plan) -> Vec<Value> {
    servers(
        plan,
        Server {
            name: PART,
            count: ZOO_KEEPERS,
            ports: &[("client", CLIENTS), ("follower", FOLLOWERS), ("election", ELECTION)],
            ready: answers(CLIENTS),
            volume: plan.sizes.zoo_keeper,
            disks: 1,
            command: json!(["bash", format!("{ETC}/zookeeper.sh")]),
            memory: 96,
            evicted: Evicted::AsAnother,
        },
    )
}
