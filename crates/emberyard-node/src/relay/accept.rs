//! One loop for every listener that carries connections: so many at a time, the rest waits in the kernel's queue.

use crate::error::RelayError;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Connections carried at one time.
const MOST: usize = 4096;

/// Gives each connection to `carry`, until `shutdown`, which also ends those that are being carried.
pub(super) async fn each<F: Future<Output = ()> + Send + 'static>(
    listener: std::net::TcpListener,
    name: &'static str,
    shutdown: CancellationToken,
    carry: impl Fn(TcpStream) -> F,
) -> Result<(), RelayError> {
    let listener = adopt(listener).map_err(|source| RelayError::Socket { name, source })?;
    let room = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return Ok(()) };
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((inside, _)) => {
                let (work, shutdown) = (carry(inside), shutdown.clone());
                tokio::spawn(async move {
                    tokio::select! { () = work => {}, () = shutdown.cancelled() => {} }
                    drop(place);
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
