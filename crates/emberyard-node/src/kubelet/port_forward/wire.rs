//! A client's upgraded connection as pieces of bytes: messages of a WebSocket, or what is read at a time.

use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_util::task::AbortOnDropHandle;

/// A message may not be longer.
const MESSAGE_MOST: usize = 4 << 20;
const CHUNK: usize = 32 << 10;
/// How long a client has for the last words.
const LAST: Duration = Duration::from_secs(2);

/// Both directions, each with a task that waits for the other end. They hold one piece each.
pub(super) struct Wire {
    /// What the client says; ends with the connection.
    pub incoming: mpsc::Receiver<Bytes>,
    /// What it is to hear.
    pub outgoing: mpsc::Sender<Bytes>,
    reader: AbortOnDropHandle<()>,
    writer: AbortOnDropHandle<()>,
}

impl Wire {
    /// Over a WebSocket.
    pub(super) async fn messages(upgraded: Upgraded) -> Self {
        let config = WebSocketConfig::default().max_message_size(Some(MESSAGE_MOST)).max_frame_size(Some(MESSAGE_MOST));
        let io = TokioIo::new(upgraded);
        let (mut sink, mut source) = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await.split();
        let (said, incoming) = mpsc::channel(1);
        let (outgoing, mut told) = mpsc::channel::<Bytes>(1);
        let reader = tokio::spawn(async move {
            while let Some(Ok(message)) = source.next().await {
                if let Message::Binary(bytes) = message
                    && said.send(bytes).await.is_err()
                {
                    // The session is over; the client's close is still to be read.
                    while let Some(Ok(_)) = source.next().await {}
                }
            }
        });
        let writer = tokio::spawn(async move {
            while let Some(bytes) = told.recv().await {
                if sink.send(Message::Binary(bytes)).await.is_err() {
                    return;
                }
            }
            let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            let _ = sink.send(Message::Close(Some(normal))).await;
        });
        Self { incoming, outgoing, reader: AbortOnDropHandle::new(reader), writer: AbortOnDropHandle::new(writer) }
    }

    /// Over plain bytes.
    pub(super) fn bytes(upgraded: Upgraded) -> Self {
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
        let (said, incoming) = mpsc::channel(1);
        let (outgoing, mut told) = mpsc::channel::<Bytes>(1);
        let reader = tokio::spawn(async move {
            loop {
                let mut buffer = BytesMut::with_capacity(CHUNK);
                match read.read_buf(&mut buffer).await {
                    Ok(length) if length > 0 && said.send(buffer.freeze()).await.is_ok() => {}
                    _ => return,
                }
            }
        });
        let writer = tokio::spawn(async move {
            while let Some(bytes) = told.recv().await {
                if write.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            let _ = write.shutdown().await;
        });
        Self { incoming, outgoing, reader: AbortOnDropHandle::new(reader), writer: AbortOnDropHandle::new(writer) }
    }

    /// Lets the client hear what was said, and closes.
    pub(super) async fn close(self) {
        let Self { incoming, outgoing, reader, writer } = self;
        drop((incoming, outgoing));
        let _ = timeout(LAST, async { (writer.await, reader.await) }).await;
    }
}
