//! What a gateway is given by whoever starts it.

use emberyard_client::Client;
use std::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Everything a gateway needs.
pub struct GatewayConfig {
    /// Where it listens; opened by whoever starts it.
    pub listener: TcpListener,
    /// The cluster, to learn where notebooks are.
    pub client: Client,
    /// Random bytes, of which the overview's token is made if it has none yet.
    pub random: [u8; 24],
    /// Host names it answers to, beside the loopback's own.
    pub hosts: Vec<String>,
    /// Ends it.
    pub shutdown: CancellationToken,
}
