//! One loop for every listener that carries connections: so many at a time, and of one client a part of them.

use super::tcp::reset;
use crate::bounds::Bounds;
use crate::error::RelayError;
use std::future::Future;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Gives each connection to `carry`, until `shutdown`, which also ends those that are being carried.
pub(super) async fn each<F: Future<Output = ()> + Send + 'static>(
    listener: std::net::TcpListener,
    name: &'static str,
    shutdown: CancellationToken,
    carry: impl Fn(TcpStream) -> F,
) -> Result<(), RelayError> {
    let listener = adopt(listener).map_err(|source| RelayError::Socket { name, source })?;
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
                let (work, shutdown) = (carry(inside), shutdown.clone());
                tokio::spawn(async move {
                    tokio::select! { () = work => {}, () = shutdown.cancelled() => {} }
                    drop(room);
                });
            }
            Err(error) => {
                tracing::warn!(%error, name, "relay cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

pub(super) fn adopt(listener: std::net::TcpListener) -> std::io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
