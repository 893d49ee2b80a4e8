//! The relay: what leaves the yard, carried by sockets of the machine's side.
//!
//! The listeners were opened inside the yard's network namespace and are used here, outside of it: accepting gives
//! connections of the yard, connecting makes sockets of the machine.

mod accept;
mod dns;
mod door;
mod environment;
mod policy;
mod tcp;
mod wanted;

use crate::error::RelayError;
use std::collections::BTreeSet;
use std::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;

pub use environment::environment;
pub use policy::{RelayPolicy, Verdict};

/// Sockets opened inside the yard's network namespace.
pub struct RelaySockets {
    /// `0.0.0.0:RELAY_PORT`: both ways of the redirect end here (10.41.0.1 for what passes through, 127.0.0.1 for
    /// what starts in the yard).
    pub tcp: TcpListener,
    /// `10.41.0.1:53`, UDP.
    pub dns_udp: UdpSocket,
    /// `10.41.0.1:53`, TCP.
    pub dns_tcp: TcpListener,
    /// `10.41.0.1:PROXY_PORT`, where nothing is redirected: the HTTP door that pods are told of ([`environment()`]).
    pub door: Option<TcpListener>,
}

/// Carries connections and names until `shutdown`. `allowed_ports` are the ports of the machine's own loopback that
/// pods may use, as `machine.emberyard.internal:PORT`.
///
/// # Errors
/// [`RelayError`] when a socket cannot be used at all.
pub async fn run(
    sockets: RelaySockets,
    allowed_ports: BTreeSet<u16>,
    shutdown: CancellationToken,
) -> Result<(), RelayError> {
    let RelaySockets { tcp, dns_udp, dns_tcp, door } = sockets;
    let policy = RelayPolicy::new(allowed_ports);
    let door = async {
        let Some(listener) = door else { return Ok(()) };
        accept::each(listener, "HTTP", shutdown.clone(), |inside| door::carry(inside, policy.clone())).await
    };
    tokio::try_join!(
        accept::each(tcp, "TCP", shutdown.clone(), |inside| tcp::carry(inside, policy.clone())),
        door,
        dns::serve_udp(dns_udp, shutdown.clone()),
        dns::serve_tcp(dns_tcp, shutdown.clone())
    )?;
    Ok(())
}
