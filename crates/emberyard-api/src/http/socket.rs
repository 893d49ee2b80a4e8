//! A watch over a WebSocket: one text frame an event. Spark's client tries this first and offers no subprotocol.

use super::body::{self, Body};
use super::limits::HANDSHAKE;
use super::service::Peer;
use super::stream::Live;
use futures::{SinkExt, StreamExt};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// Switches protocols and streams the watch in a task of its own.
pub fn start(live: Live, peer: Arc<Peer>, mut parts: Parts) -> Response<Body> {
    let refuse = |message: &str| body::status(400, "BadRequest", message);
    let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return refuse("this connection can't be upgraded to a WebSocket");
    };
    let Some(key) = parts.headers.get(SEC_WEBSOCKET_KEY) else {
        return refuse("a WebSocket request needs the header Sec-WebSocket-Key");
    };
    if parts.headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return refuse("the header Sec-WebSocket-Version must be 13");
    }
    let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) else {
        return refuse("the header Sec-WebSocket-Key is malformed");
    };
    tokio::spawn(async move {
        if let Ok(Ok(upgraded)) = timeout(HANDSHAKE, upgrade).await {
            run(live, TokioIo::new(upgraded)).await;
        }
        drop(peer);
    });
    let mut response = Response::new(body::full(""));
    *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

async fn run(mut live: Live, stream: TokioIo<hyper::upgrade::Upgraded>) {
    let mut config = WebSocketConfig::default();
    // Clients of a watch say next to nothing.
    config.read_buffer_size = 4 << 10;
    config.write_buffer_size = 16 << 10;
    config.max_message_size = Some(64 << 10);
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let (mut sink, mut source) = socket.split();
    let writing = async {
        while let Some(frame) = live.next().await {
            let text = frame.strip_suffix(b"\n").unwrap_or(&frame);
            // Events are JSON, which is UTF-8.
            let text = String::from_utf8_lossy(text).into_owned();
            if sink.send(Message::Text(Utf8Bytes::from(text))).await.is_err() {
                return;
            }
        }
        let close = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::from_static("") };
        // A client that is gone already needs no farewell.
        let _ = timeout(HANDSHAKE, sink.send(Message::Close(Some(close)))).await;
    };
    // Reading answers pings and ends when the client closes or vanishes.
    let reading = async {
        while let Some(Ok(message)) = source.next().await
            && !message.is_close()
        {}
    };
    tokio::select! { () = writing => {}, () = reading => {} }
}
