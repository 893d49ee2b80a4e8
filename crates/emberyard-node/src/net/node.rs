//! A node's own network, built by its agent from inside the node's network namespace.

use super::address::{NodeNumber, POD_PREFIX};
use super::{sysctl, thread};
use crate::error::NetError;
use std::net::Ipv4Addr;

pub(crate) const BRIDGE: &str = "pods0";

/// Makes the pods' bridge `pods0` with the gateway address and lets the node forward. May be repeated.
///
/// # Errors
/// [`NetError`] when the kernel refuses.
pub fn setup(number: NodeNumber) -> Result<(), NetError> {
    thread::within(None, async move |links| {
        links.up("lo").await?;
        links.bridge(BRIDGE, [0x0a, 0x42, 0, 0, number.get(), 1]).await?;
        links.address(BRIDGE, number.pod_gateway(), POD_PREFIX).await?;
        links.up(BRIDGE).await
    })?;
    sysctl::set("ipv4/ip_forward", "1")?;
    sysctl::set("ipv4/conf/all/send_redirects", "0")?;
    // Services answer on low ports (443, 53) although the agent is root only in its own user namespace.
    sysctl::set("ipv4/ip_unprivileged_port_start", "0")
}

/// Makes the node answer for a service address.
///
/// # Errors
/// [`NetError`] when the kernel refuses.
pub fn add_service_address(address: Ipv4Addr) -> Result<(), NetError> {
    thread::within(None, async move |links| links.address("lo", address, 32).await)
}

/// Stops answering for a service address.
///
/// # Errors
/// [`NetError`] when the kernel refuses.
pub fn remove_service_address(address: Ipv4Addr) -> Result<(), NetError> {
    thread::within(None, async move |links| links.no_address("lo", address, 32).await)
}
