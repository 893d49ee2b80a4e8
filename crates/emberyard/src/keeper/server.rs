//! The keeper's socket. While the yard starts it already answers `status`, so that `up` can show each step.

use super::protocol::{Answer, Ask, Stage, Status, with_short_path};
use super::{Event, KeeperError};
use crate::yard::YardDir;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

/// A question is short; more is nonsense.
const LONGEST_QUESTION: u64 = 64 * 1024;

/// How far the start is, seen by the socket's tasks.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<Stage>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Stage::Starting { step: "keeper".to_owned() })))
    }
}

impl Progress {
    pub(crate) fn set(&self, stage: Stage) {
        if let Ok(mut slot) = self.0.lock() {
            *slot = stage;
        }
    }

    pub(crate) fn step(&self, step: &str) {
        tracing::info!(step, "starting");
        self.set(Stage::Starting { step: step.to_owned() });
    }

    fn get(&self) -> Stage {
        self.0.lock().map(|stage| stage.clone()).unwrap_or(Stage::Stopping)
    }
}

/// Opens the socket (0600) and answers on it in tasks of their own.
pub(crate) fn listen(dir: &YardDir, events: mpsc::Sender<Event>, progress: Progress) -> Result<(), KeeperError> {
    let path = dir.keeper_socket();
    let _ = std::fs::remove_file(&path); // of a keeper that was killed: the lock says it is gone
    let file_error = |source| KeeperError::File { path: path.clone(), source };
    let listener = with_short_path(&path, |short| UnixListener::bind(short)).map_err(file_error)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(file_error)?;
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(converse(stream, events.clone(), progress.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "keeper socket");
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
            }
        }
    });
    Ok(())
}

async fn converse(stream: UnixStream, events: mpsc::Sender<Event>, progress: Progress) {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(LONGEST_QUESTION));
    let read = reader.read_line(&mut line);
    if !matches!(tokio::time::timeout(std::time::Duration::from_secs(10), read).await, Ok(Ok(1..))) {
        return;
    }
    let answer = match serde_json::from_str::<Ask>(&line) {
        Ok(ask) => reply(ask, &events, &progress).await,
        Err(error) => Answer::Refused { why: format!("not a question this keeper understands: {error}") },
    };
    if let Ok(mut text) = serde_json::to_vec(&answer) {
        text.push(b'\n');
        let _ = writer.write_all(&text).await;
    }
}

async fn reply(ask: Ask, events: &mpsc::Sender<Event>, progress: &Progress) -> Answer {
    let stage = progress.get();
    if stage != Stage::Running {
        if ask == Ask::Status {
            let nothing = Status {
                stage,
                keeper_pid: std::process::id(),
                outbound: None,
                version: crate::yard::versions::PROGRAM.to_owned(),
                mode: String::new(),
                api_port: 0,
                gateway_port: 0,
                nodes: Vec::new(),
            };
            return Answer::Status(nothing);
        }
        if ask != Ask::Down {
            return Answer::Refused { why: "the yard is starting or stopping".to_owned() };
        }
    }
    let (sender, receiver) = oneshot::channel();
    if events.send(Event::Ask(ask, sender)).await.is_err() {
        return Answer::Refused { why: "the yard is stopping".to_owned() };
    }
    receiver.await.unwrap_or_else(|_| Answer::Refused { why: "the yard is stopping".to_owned() })
}
