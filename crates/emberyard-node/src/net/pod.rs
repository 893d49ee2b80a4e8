//! A pod's network: `eth0` in the pod's namespace, its other end a port of the node's bridge.

use super::address::{NodeNumber, POD_PREFIX};
use super::node::BRIDGE;
use super::thread;
use crate::error::NetError;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};

/// The node's end of a pod's link, from the pod's address: short, unique on the node, readable.
fn link_name(address: Ipv4Addr) -> String {
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
