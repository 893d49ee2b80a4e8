//! Redirected connections: find out where they wanted to go, dial, copy both ways.

use super::policy::{RelayPolicy, Verdict};
use crate::bounds::Bounds;
use crate::error::RelayError;
use rustix::net::sockopt;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);
const BUFFER: usize = 64 << 10;

pub(super) async fn serve(
    listener: std::net::TcpListener,
    policy: RelayPolicy,
    shutdown: CancellationToken,
) -> Result<(), RelayError> {
    let listener = adopt(listener).map_err(|source| RelayError::Socket { name: "TCP", source })?;
    let bounds = Bounds::of_this_process();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((inside, client)) => {
                let Some(room) = bounds.room(client.ip()) else {
                    reset(&inside);
                    continue;
                };
                let policy = policy.clone();
                let shutdown = shutdown.clone();
                tokio::spawn(async move {
                    tokio::select! { () = carry(inside, &policy) => {}, () = shutdown.cancelled() => {} }
                    drop(room);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "relay cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

pub(super) fn adopt(listener: std::net::TcpListener) -> std::io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn carry(mut inside: TcpStream, policy: &RelayPolicy) {
    let Ok(wanted) = sockopt::ip_original_dst(&inside) else { return reset(&inside) };
    let Verdict::Dial(address) = policy.decide(wanted) else {
        tracing::debug!(%wanted, "relay refuses");
        return reset(&inside);
    };
    match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(mut outside)) => {
            let _ = inside.set_nodelay(true);
            let _ = outside.set_nodelay(true);
            // An error here is one side's reset: dropping both passes it on.
            let _ = tokio::io::copy_bidirectional_with_sizes(&mut inside, &mut outside, BUFFER, BUFFER).await;
        }
        Ok(Err(error)) => {
            tracing::debug!(%wanted, %error, "relay cannot connect");
            reset(&inside);
        }
        Err(_) => reset(&inside),
    }
}

/// The nearest thing to "connection refused" for a connection that was accepted already.
fn reset(stream: &TcpStream) {
    let _ = sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}
