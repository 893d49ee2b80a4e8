//! What is said of DataNodes that are to go.

use super::{DataNode, Service, World};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The condition of an HdfsCluster that says it, where something is to go: true when all of it may.
pub const REMOVAL: &str = "Removal";
/// The condition's reason where nothing that is under way will let them go.
pub const TOO_FEW: &str = "TooFewDataNodes";

/// A condition's status, reason and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whether everything that is to go may go.
    pub done: bool,
    /// One word.
    pub reason: &'static str,
    /// What, why and, where something is to be done about it, what.
    pub message: String,
}

/// `moving`: one has gone, and is still counted.
pub(super) fn told(world: &World, named: &BTreeSet<IpAddr>, moving: bool, may_go: &BTreeSet<String>) -> Option<Told> {
    let asked: Vec<&DataNode> = world.asked().collect();
    if asked.is_empty() {
        return None;
    }
    let Some(active) = &world.active else {
        let message = format!("{} can't hand over blocks: no NameNode is active.", pods(&asked));
        return Some(Told { done: false, reason: "NotServing", message });
    };
    if active.safe_mode {
        let message = format!(
            "{} can't hand over blocks: the active NameNode takes no changes (safe mode). Either it still waits for \
             DataNodes that hold blocks, or somebody asked it to (`hdfs dfsadmin -safemode get` says which).",
            pods(&asked)
        );
        return Some(Told { done: false, reason: "NotServing", message });
    }
    let is = |one: &&DataNode, word: Service| active.of(one.address).is_some_and(|it| it.service == word);
    let (going, staying): (Vec<&DataNode>, Vec<&DataNode>) =
        asked.into_iter().partition(|one| may_go.contains(&one.uid));
    let (busy, waiting): (Vec<&DataNode>, Vec<&DataNode>) =
        staying.into_iter().partition(|one| named.contains(&one.address));
    let (left, busy): (Vec<&DataNode>, Vec<&DataNode>) = busy.into_iter().partition(|one| is(one, Service::Left));

    let mut said = Vec::new();
    if !going.is_empty() {
        said.push(format!("{} may go.", pods(&going)));
    }
    if !left.is_empty() {
        said.push(format!("{} handed over all blocks; {}.", pods(&left), lacks(world)));
    }
    if !busy.is_empty() {
        said.push(format!("Blocks of {} are being copied to others: {} to go.", pods(&busy), active.to_go()));
    }
    let in_service = world.in_service().len();
    let copies = world.copies;
    let moves = moving || !named.is_empty() || in_service < world.wanted as usize;
    if !waiting.is_empty() {
        let why =
            format!("{in_service} DataNodes are in service, and spec.replication wants {copies} copies of a block");
        said.push(if moves {
            format!("{} must wait for others: {why}.", pods(&waiting))
        } else {
            format!(
                "{} can't go: {why}. Ask for more DataNodes (spec.dataNodes), with nodes for them, or for fewer copies \
                 (spec.replication, and `hdfs dfs -setrep` for files that are there).",
                pods(&waiting)
            )
        });
    }
    let done = left.is_empty() && busy.is_empty() && waiting.is_empty();
    let reason = match (done, waiting.is_empty(), moves) {
        (true, ..) => "MayGo",
        (_, false, false) => TOO_FEW,
        (_, false, true) if busy.is_empty() && left.is_empty() => "Waiting",
        _ => "Copying",
    };
    Some(Told { done, reason, message: said.join(" ") })
}

/// What is still missing before those can go whose blocks are all elsewhere.
fn lacks(world: &World) -> String {
    match (&world.active, &world.standby) {
        (_, None) => "the standby NameNode does not answer yet".to_owned(),
        (Some(active), _) if !active.is_whole() => {
            // Only their files say so.
            let blocks = active.to_go();
            format!("{blocks} blocks lack copies, which may want more than spec.replication (`hdfs dfs -setrep`)")
        }
        _ => "it is looked at once more".to_owned(),
    }
}

fn pods(list: &[&DataNode]) -> String {
    let names: Vec<&str> = list.iter().map(|one| one.pod.as_str()).collect();
    names.join(", ")
}
