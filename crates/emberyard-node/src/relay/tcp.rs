//! Redirected connections: find out where they wanted to go, dial, copy both ways.

use super::policy::{RelayPolicy, Verdict};
use rustix::net::sockopt;
use std::net::SocketAddrV4;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(20);
const BUFFER: usize = 64 << 10;

/// Carries one connection to its end.
pub(super) async fn carry(mut inside: TcpStream, policy: RelayPolicy) {
    let Ok(wanted) = sockopt::ip_original_dst(&inside) else { return reset(&inside) };
    let Verdict::Dial(address) = policy.decide(wanted) else {
        tracing::debug!(%wanted, "relay refuses");
        return reset(&inside);
    };
    match dial(address).await {
        Ok(outside) => {
            let _ = inside.set_nodelay(true);
            copy(&mut inside, outside).await;
        }
        Err(error) => {
            tracing::debug!(%wanted, %error, "relay cannot connect");
            reset(&inside);
        }
    }
}

/// Connects on the machine's side.
pub(super) async fn dial(address: SocketAddrV4) -> std::io::Result<TcpStream> {
    let stream = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await??;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Copies both ways until both sides have ended.
pub(super) async fn copy(inside: &mut (impl AsyncRead + AsyncWrite + Unpin), mut outside: TcpStream) {
    // An error here is one side's reset: dropping both passes it on.
    let _ = tokio::io::copy_bidirectional_with_sizes(inside, &mut outside, BUFFER, BUFFER).await;
}

/// The nearest thing to "connection refused" for a connection that was accepted already.
pub(super) fn reset(stream: &TcpStream) {
    let _ = sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}
