//! ZooKeeper: who elects the active NameNode.

use super::names::ZOO_KEEPERS;
use super::set::{ETC, Part, Runs, container, listens, objects as set};
use super::validate::Plan;
use serde_json::{Value, json};

pub(crate) const PART: &str = "zookeeper";
pub(crate) const CLIENTS: u16 = 2181;
pub(crate) const FOLLOWERS: u16 = 2888;
pub(crate) const ELECTION: u16 = 3888;

pub(crate) fn objects(plan: &Plan) -> Vec<Value> {
    let command = json!(["bash", format!("{ETC}/zookeeper.sh")]);
    let mut server = container(plan, &Runs { name: PART, command, memory: 96 });
    server.insert("readinessProbe".to_owned(), listens(CLIENTS));
    let ports = [("client", CLIENTS), ("follower", FOLLOWERS), ("election", ELECTION)];
    set(
        plan,
        Part {
            name: PART,
            count: ZOO_KEEPERS,
            ports: &ports,
            volume: plan.sizes.zoo_keeper,
            prepare: Vec::new(),
            containers: vec![server.into()],
            volumes: Vec::new(),
        },
    )
}
