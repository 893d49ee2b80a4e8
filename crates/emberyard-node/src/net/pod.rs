//! A pod's network: `eth0` in the pod's namespace, its other end a port of the node's bridge.

use super::address::{NODES, NodeNumber, POD_PREFIX, SERVICES};
use super::node::BRIDGE;
use super::{nft, sysctl, thread};
use crate::error::NetError;
use emberyard_pod::network::{Block, Gates};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};

/// The node's end of a pod's link, from the pod's address: short, unique on the node, readable.
pub(super) fn link_name(address: Ipv4Addr) -> String {
    let [_, _, node, host] = address.octets();
    format!("pod{node}-{host}")
}

/// Connects a pod's network namespace and gives it `address`. May be repeated for the same pod.
///
/// # Errors
/// [`NetError`] when the namespace is gone or the kernel refuses.
pub fn attach(node: NodeNumber, namespace: OwnedFd, address: Ipv4Addr) -> Result<(), NetError> {
    let copy = |fd: &OwnedFd| fd.try_clone().map_err(|source| NetError::Namespace { name: "copy".into(), source });
    let (probe, inside) = (copy(&namespace)?, copy(&namespace)?);
    let present = thread::within(Some(probe), async |links| links.index("eth0").await)?.is_some();
    thread::within(None, async move |links| {
        let name = link_name(address);
        if !present {
            // A leftover of a pod that had this address before.
            links.remove(&name).await?;
            links.veth(&name, address, namespace.as_fd()).await?;
        }
        links.join(&name, BRIDGE).await
    })?;
    thread::within(Some(inside), async move |links| links.furnish(address, POD_PREFIX, node.pod_gateway()).await)
}

/// Removes the node's end of a pod's link, if the pod's namespace has not taken it along already.
///
/// # Errors
/// [`NetError`] when the kernel refuses.
pub fn detach(address: Ipv4Addr) -> Result<(), NetError> {
    thread::within(None, async move |links| links.remove(&link_name(address)).await)
}

/// Lets into a pod and out of it what its gates leave open. May be repeated; open gates undo it.
///
/// Nodes are always let in, since probes, forwarded ports and what is carried to services come from them. The last is judged
/// where it is carried, and so is what a pod sends to services; names may always be asked for.
///
/// # Errors
/// [`NetError`] when the namespace is gone or the kernel refuses.
pub fn gate(node: NodeNumber, namespace: OwnedFd, address: Ipv4Addr, gates: &Gates) -> Result<(), NetError> {
    let itself = Block::of(address);
    let (from, to) = ([NODES, Block::of(node.pod_gateway()), itself], [SERVICES, itself]);
    thread::within(Some(namespace), async move |_| {
        // Links have addresses of IPv6 by themselves, and no gate for them. Where there is no IPv6, there are none.
        drop(sysctl::set("ipv6/conf/eth0/disable_ipv6", "1"));
        nft::gate((&gates.ingress, &from), (&gates.egress, &to))
    })
}
