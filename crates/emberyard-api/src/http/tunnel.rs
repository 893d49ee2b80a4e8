//! Two upgraded connections as one.

use super::limits::HANDSHAKE;
use super::service::Peer;
use http::HeaderMap;
use http::header::{CONNECTION, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Whether the client asks for another protocol on this connection.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    let asks = |v: &http::HeaderValue| {
        v.to_str().is_ok_and(|v| v.split(',').any(|part| part.trim().eq_ignore_ascii_case("upgrade")))
    };
    headers.contains_key(UPGRADE) && headers.get_all(CONNECTION).iter().any(asks)
}

/// Whether that protocol is WebSocket.
pub fn is_websocket(headers: &HeaderMap) -> bool {
    is_upgrade(headers) && headers.get(UPGRADE).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Copies bytes both ways until one side ends, in a task of its own.
pub fn join(client: OnUpgrade, target: OnUpgrade, peer: Arc<Peer>, shutdown: CancellationToken) {
    tokio::spawn(async move {
        let both = async { tokio::try_join!(client, target) };
        if let Ok(Ok((client, target))) = timeout(HANDSHAKE, both).await {
            let (mut client, mut target) = (TokioIo::new(client), TokioIo::new(target));
            tokio::select! {
                copied = tokio::io::copy_bidirectional(&mut client, &mut target) => {
                    if let Err(error) = copied {
                        tracing::debug!(%error, "tunnel");
                    }
                }
                () = shutdown.cancelled() => {}
            }
        }
        drop(peer);
    });
}
