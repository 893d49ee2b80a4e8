//! Faults of the network, for rehearsals. Run inside the yard's network namespace; each may be repeated.

use super::address::{NodeNumber, POD_PREFIX};
use super::yard::link_name;
use super::{pod, thread};
use crate::error::NetError;
use std::net::Ipv4Addr;

/// Pods of two nodes no longer reach each other; both nodes still reach the rest of the yard.
///
/// # Errors
/// [`NetError`] when the kernel refuses.
pub fn cut(a: NodeNumber, b: NodeNumber) -> Result<(), NetError> {
    thread::within(None, async move |links| {
        links.drop_between(a.pod_network(), b.pod_network(), POD_PREFIX).await?;
        links.drop_between(b.pod_network(), a.pod_network(), POD_PREFIX).await
    })
}

/// Undoes [`cut`].
///
/// # Errors
/// [`NetError`] when the kernel refuses.
pub fn heal(a: NodeNumber, b: NodeNumber) -> Result<(), NetError> {
    thread::within(None, async move |links| {
        links.no_drop_between(a.pod_network(), b.pod_network(), POD_PREFIX).await?;
        links.no_drop_between(b.pod_network(), a.pod_network(), POD_PREFIX).await
    })
}

/// A node reaches nothing and is reached by nobody: its cable is out.
///
/// # Errors
/// [`NetError`] when there is no such cable.
pub fn unplug(node: NodeNumber) -> Result<(), NetError> {
    thread::within(None, async move |links| links.down(&link_name(node)).await)
}

/// Undoes [`unplug`].
///
/// # Errors
/// [`NetError`] when there is no such cable.
pub fn plug(node: NodeNumber) -> Result<(), NetError> {
    // No route was forgotten: those to a node's pods lead through the bridge, which stayed up.
    thread::within(None, async move |links| links.up(&link_name(node)).await)
}

/// A pod reaches nothing and is reached by nobody: its cable is out. `neighbour` is a process on its node, outside of pods.
///
/// # Errors
/// [`NetError`] when there is no such process or cable.
pub fn unplug_pod(neighbour: u32, address: Ipv4Addr) -> Result<(), NetError> {
    let node = thread::of_process(neighbour)?;
    thread::within(Some(node), async move |links| links.down(&pod::link_name(address)).await)
}

/// Undoes [`unplug_pod`].
///
/// # Errors
/// [`NetError`] when there is no such process or cable.
pub fn plug_pod(neighbour: u32, address: Ipv4Addr) -> Result<(), NetError> {
    let node = thread::of_process(neighbour)?;
    thread::within(Some(node), async move |links| links.up(&pod::link_name(address)).await)
}
