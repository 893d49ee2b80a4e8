//! The kernel's channels over one WebSocket: requests there, messages back (Jupyter's messaging protocol 5.3, as JSON).

use super::RunError;
use super::jupyter::{Jupyter, Session};
use futures::{SinkExt, StreamExt};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Tries to get a lost connection back, at this pace and for this long: a gateway or a network that was restarted.
const RETRY: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(30);

/// An open channel to a kernel.
pub(super) struct Channel {
    socket: WebSocketStream<TcpStream>,
    jupyter: Jupyter,
    path: String,
    kernel: String,
    session: String,
    sent: u64,
}

impl Channel {
    pub async fn open(jupyter: &Jupyter, session: &Session, name: &str) -> Result<Self, RunError> {
        let path = jupyter.path(&format!("api/kernels/{}/channels?session_id={}", session.kernel, session.id));
        let socket = connect(jupyter, &path).await?;
        let (kernel, session) = (session.kernel.clone(), name.to_owned());
        Ok(Self { socket, jupyter: jupyter.clone(), path, kernel, session, sent: 0 })
    }

    /// Connects anew after the connection was lost. What the kernel said meanwhile comes then: Jupyter keeps it for the
    /// session's next connection.
    pub async fn reopen(&mut self) -> Result<(), RunError> {
        let start = Instant::now();
        loop {
            match self.jupyter.has_kernel(&self.kernel).await {
                Ok(false) => return Err(RunError::KernelDied),
                Ok(true) => {
                    if let Ok(socket) = connect(&self.jupyter, &self.path).await {
                        self.socket = socket;
                        return Ok(());
                    }
                }
                Err(error) if start.elapsed() > PATIENCE => return Err(error),
                Err(_) => {}
            }
            if start.elapsed() > PATIENCE {
                return Err(RunError::KernelDied);
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Sends a request on the shell channel; gives its id.
    pub async fn send(&mut self, kind: &str, content: Value) -> Result<String, RunError> {
        self.sent += 1;
        let id = format!("{}-{}", self.session, self.sent);
        let message = json!({
            "channel": "shell",
            "header": {"msg_id": id, "msg_type": kind, "session": self.session, "username": "emberyard", "version": "5.3"},
            "parent_header": {}, "metadata": {}, "content": content, "buffers": [],
        });
        self.socket.send(Message::text(message.to_string())).await.map_err(|_| RunError::Cut)?;
        Ok(id)
    }

    /// The next message from the kernel.
    pub async fn next(&mut self) -> Result<Value, RunError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    if let Ok(message) = serde_json::from_str(&text) {
                        return Ok(message);
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(RunError::Cut),
                Some(Ok(_)) => {}
            }
        }
    }
}

async fn connect(jupyter: &Jupyter, path: &str) -> Result<WebSocketStream<TcpStream>, RunError> {
    let lost = |error: &dyn std::error::Error| RunError::Unreachable(error.to_string());
    let mut request = format!("ws://{}{path}", jupyter.authority()).into_client_request().map_err(|e| lost(&e))?;
    let authorization = HeaderValue::from_str(&jupyter.authorization()).map_err(|e| lost(&e))?;
    request.headers_mut().insert(AUTHORIZATION, authorization);
    let (socket, _) = tokio_tungstenite::client_async(request, jupyter.connect().await?).await.map_err(|e| lost(&e))?;
    Ok(socket)
}
