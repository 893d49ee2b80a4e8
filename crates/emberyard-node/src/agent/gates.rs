//! Keeps the gates of this node's pods as network policies want them.

use super::{Node, blocking};
use crate::error::NetError;
use crate::net::address::NodeNumber;
use crate::net::pod;
use emberyard_pod::network::{Gates, Member};
use emberyard_sandbox::PodSandbox;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// Between two tries where the kernel refused.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a pod that is being made waits until the cluster is known.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs for ever. What an earlier agent set still holds until the cluster is known.
pub(super) async fn keep(node: Arc<Node>) {
    let mut cluster = node.cluster.clone();
    // What was set of each pod, by its uid.
    let mut set: BTreeMap<String, Gates> = BTreeMap::new();
    if cluster.wait_for(|cluster| cluster.knows_network()).await.is_err() {
        return;
    }
    loop {
        let mut refused = false;
        let known = cluster.borrow_and_update().clone();
        let network = known.network();
        let here: Vec<&Member> = known.members.values().filter(|member| member.node == node.name()).collect();
        set.retain(|uid, _| here.iter().any(|member| member.uid == *uid));
        for member in here {
            let gates = network.gates(member);
            if set.get(&member.uid) == Some(&gates) {
                continue;
            }
            match apply(&node, member, &gates).await {
                Ok(()) => _ = set.insert(member.uid.clone(), gates),
                Err(error) => {
                    refused = true;
                    tracing::error!(pod = %member.uid, %error, "network policies of a pod do not hold");
                }
            }
        }
        tokio::select! {
            changed = cluster.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(if refused { AGAIN } else { Duration::MAX }) => {}
        }
    }
}

/// A pod that has gone meanwhile needs none.
async fn apply(node: &Arc<Node>, member: &Member, gates: &Gates) -> Result<(), NetError> {
    let (dir, number, address, gates) = (node.pod_dir(&member.uid), node.config.number, member.address, gates.clone());
    blocking(move || match PodSandbox::open(&dir).and_then(|sandbox| sandbox.netns_fd()) {
        Ok(namespace) => gate(number, namespace, address, &gates),
        Err(_) => Ok(()),
    })
    .await
}

/// Waits until it is known who may connect to whom, which at an agent's start takes a moment; not for ever: what is late is made
/// up for.
pub(super) async fn known(node: &Node) {
    let mut cluster = node.cluster.clone();
    drop(tokio::time::timeout(PATIENCE, cluster.wait_for(|cluster| cluster.knows_network())).await);
}

/// Sets the gates of a pod that is being made, before anything of it runs.
///
/// # Errors
/// [`NetError`] when they must not be open and the kernel refuses.
pub(super) fn first(node: &Node, pod: &Member, namespace: OwnedFd) -> Result<(), NetError> {
    let gates = node.cluster.borrow().network().gates(pod);
    if gates == Gates::default() { Ok(()) } else { gate(node.config.number, namespace, pod.address, &gates) }
}

/// Where the kernel has no rules, all gates are open.
fn gate(number: NodeNumber, namespace: OwnedFd, address: Ipv4Addr, gates: &Gates) -> Result<(), NetError> {
    match pod::gate(number, namespace, address, gates) {
        Err(NetError::NoNfTables { .. }) if *gates == Gates::default() => Ok(()),
        done => done,
    }
}
