//! The yard's own network. These functions run inside the yard's network namespace, as root of its user namespace,
//! in a short-lived process of their own; each may be repeated.

use super::address::{MACHINE, NODE_PREFIX, NodeNumber, POD_PREFIX, YARD};
use super::{nft, sysctl, thread};
use crate::error::NetError;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::os::fd::AsFd;

const BRIDGE: &str = "yard0";

/// How programs in the yard reach what lies outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "kebab-case")]
pub enum Outbound {
    /// TCP that leaves the yard is redirected to the relay; programs need to know nothing.
    Redirected,
    /// Nothing is redirected: programs that go by `HTTPS_PROXY` and its kin get out, through the relay's HTTP door.
    Door {
        /// Why: the kernel's answer, or that it was asked for.
        reason: String,
    },
}

/// Whether outgoing TCP is to be redirected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirect {
    /// If the kernel lets us.
    WherePossible,
    /// As if it did not.
    Never,
}

/// Builds the yard's side: bridge `yard0` with 10.41.0.1 and the machine's stand-in 10.41.0.2, forwarding between
/// nodes, and the redirect of outgoing TCP to `relay_port`.
///
/// # Errors
/// [`NetError`] when a link, address, route or setting is refused. Missing nf_tables is no error but
/// [`Outbound::Door`].
pub fn setup(relay_port: u16, redirect: Redirect) -> Result<Outbound, NetError> {
    thread::within(None, async |links| {
        links.up("lo").await?;
        links.bridge(BRIDGE, [0x0a, 0x41, 0, 0, 0, 1]).await?;
        links.address(BRIDGE, YARD, NODE_PREFIX).await?;
        links.address(BRIDGE, MACHINE, 32).await?;
        links.up(BRIDGE).await?;
        // Packets to the outside need a route before the redirect is asked; nothing is ever sent along this one.
        links.route_onto(Ipv4Addr::UNSPECIFIED, 0, BRIDGE).await
    })?;
    sysctl::set("ipv4/ip_forward", "1")?;
    sysctl::set("ipv4/conf/yard0/send_redirects", "0")?;
    sysctl::set("ipv4/conf/all/send_redirects", "0")?;
    if redirect == Redirect::Never {
        return Ok(Outbound::Door { reason: "as was asked for".to_owned() });
    }
    match nft::redirect(relay_port) {
        Ok(()) => Ok(Outbound::Redirected),
        Err(NetError::NoNfTables { reason }) => Ok(Outbound::Door { reason: format!("no nf_tables: {reason}") }),
        Err(other) => Err(other),
    }
}

/// Connects a node, whose network namespace is that of process `netns_pid` (as seen here): a veth pair into `yard0`,
/// `eth0` with the node's address and default route on the node's side, a route to its pods on the yard's.
///
/// # Errors
/// [`NetError`] when the namespace is gone or the kernel refuses.
pub fn attach_node(number: NodeNumber, netns_pid: u32) -> Result<(), NetError> {
    let namespace = thread::of_process(netns_pid)?;
    let inside = namespace.try_clone().map_err(|source| NetError::Namespace { name: "copy".into(), source })?;
    thread::within(None, async move |links| {
        let name = link_name(number);
        let joined = thread::within(namespace.try_clone().ok(), async |inner| inner.index("eth0").await)?;
        if joined.is_none() || links.index(&name).await?.is_none() {
            links.remove(&name).await?;
            links.veth(&name, number.node_ip(), namespace.as_fd()).await?;
        }
        links.join(&name, BRIDGE).await
    })?;
    thread::within(Some(inside), async move |links| links.furnish(number.node_ip(), NODE_PREFIX, YARD).await)?;
    thread::within(None, async move |links| links.route(number.pod_network(), POD_PREFIX, number.node_ip()).await)
}

/// Disconnects a node. Nothing happens if it is gone already.
///
/// # Errors
/// [`NetError`] when the kernel refuses.
pub fn detach_node(number: NodeNumber) -> Result<(), NetError> {
    thread::within(None, async move |links| {
        links.no_route(number.pod_network(), POD_PREFIX, number.node_ip()).await?;
        links.remove(&link_name(number)).await
    })
}

pub(super) fn link_name(number: NodeNumber) -> String {
    format!("node{number}")
}
