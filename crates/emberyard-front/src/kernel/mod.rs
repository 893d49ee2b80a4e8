//! A client of Jupyter kernels: runs code in a notebook's own kernel, as its user would.
//!
//! Sources: Jupyter Server's REST interface (`/api/sessions`) and the Jupyter messaging protocol 5.3 over WebSocket.

mod message;
mod server;

pub use message::{Execution, Output};
pub use server::Server;

use crate::error::FrontError;
use futures::{SinkExt, StreamExt};
use message::Progress;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// The session that runs of files share: what one run leaves in the kernel, the next finds.
const SESSION: &str = "emberyard-run";

/// A connection to a kernel.
pub struct Kernel {
    socket: WebSocketStream<TcpStream>,
    session: String,
    messages: u64,
}

impl Kernel {
    /// Finds or starts the kernel of runs, and connects. `id` names this connection and must be new.
    ///
    /// # Errors
    /// [`FrontError::Server`] when the address is no Jupyter server or the token is wrong.
    pub async fn open(server: &Server, id: String) -> Result<Self, FrontError> {
        let wanted = json!({ "path": SESSION, "name": SESSION, "type": "console", "kernel": { "name": "python3" } });
        let sessions = server.request("GET", "api/sessions", None).await?;
        let found = sessions.as_array().into_iter().flatten().find(|session| session["path"] == SESSION).cloned();
        let session = match found {
            Some(session) => session,
            None => server.request("POST", "api/sessions", Some(&wanted)).await?,
        };
        let kernel = session["kernel"]["id"]
            .as_str()
            .ok_or_else(|| FrontError::Server { what: "session".to_owned(), why: "it has no kernel".to_owned() })?;
        let socket = server.socket(&format!("api/kernels/{kernel}/channels?session_id={id}")).await?;
        Ok(Self { socket, session: id, messages: 0 })
    }

    /// Runs code, tells outputs as they come, and returns when the kernel is idle again.
    ///
    /// # Errors
    /// [`FrontError::Kernel`] when the kernel dies or the connection ends, [`FrontError::Timeout`] when time is over.
    /// An exception in the code is no error here: see [`Execution::error`].
    pub async fn execute(
        &mut self,
        code: &str,
        patience: Duration,
        tell: &mut (dyn FnMut(&Output) + Send),
    ) -> Result<Execution, FrontError> {
        match tokio::time::timeout(patience, self.run(code, tell)).await {
            Ok(done) => done,
            Err(_) => Err(FrontError::Timeout(patience.as_secs())),
        }
    }

    async fn run(&mut self, code: &str, tell: &mut (dyn FnMut(&Output) + Send)) -> Result<Execution, FrontError> {
        self.messages += 1;
        let id = format!("{}-{}", self.session, self.messages);
        let request = message::execute(&self.session, &id, code).to_string();
        let lost = |error: tokio_tungstenite::tungstenite::Error| FrontError::Kernel(error.to_string());
        self.socket.send(Message::text(request)).await.map_err(lost)?;
        let mut progress = Progress::new(id);
        while let Some(message) = self.socket.next().await {
            let text = match message.map_err(lost)? {
                Message::Text(text) => text,
                Message::Close(_) => break,
                _ => continue,
            };
            let Ok(message) = serde_json::from_str::<Value>(&text) else { continue };
            if let Some(output) = progress.take(&message)? {
                tell(&output);
            }
            if progress.is_done() {
                return Ok(progress.finish());
            }
        }
        Err(FrontError::Kernel("the connection was closed".to_owned()))
    }
}
