//! A connection that breaks in the middle of a cell, against a stand-in of Jupyter that does what Jupyter does then: it keeps
//! what the kernel says for the session's next connection.

use super::{Event, Jupyter, Kernel, RunError};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

/// What became of the kernel while nobody was connected.
#[derive(Clone, Copy, PartialEq)]
enum Meanwhile {
    /// It finished the cell.
    Finished,
    /// It finished the cell, but its words went down with the connection.
    Unheard,
    /// It waited for a cell: the connection broke before one was sent.
    Waited,
    /// It ended.
    Died,
}

async fn stand_in(meanwhile: Meanwhile) -> Jupyter {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let cell = Arc::new(Mutex::new(None));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, meanwhile, cell.clone()));
        }
    });
    Jupyter::from_link(&format!("http://127.0.0.1:{port}/notebooks/d/n/?token=t")).unwrap()
}

async fn answer(mut stream: TcpStream, meanwhile: Meanwhile, cell: Arc<Mutex<Option<String>>>) {
    let mut head = [0; 200];
    let read = stream.peek(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    if head.contains("/channels?") {
        return channel(stream, meanwhile, cell).await;
    }
    let (status, body) = match head.split(' ').next() {
        Some("POST") => ("201 Created", json!({"id": "s", "kernel": {"id": "k"}}).to_string()),
        _ if meanwhile == Meanwhile::Died => {
            ("404 Not Found", json!({"message": "Kernel does not exist: k"}).to_string())
        }
        _ => ("200 OK", "{}".to_owned()),
    };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let mut whole = [0; 4096];
    drop(stream.read(&mut whole).await);
    drop(stream.write_all(answer.as_bytes()).await);
}

async fn channel(stream: TcpStream, meanwhile: Meanwhile, cell: Arc<Mutex<Option<String>>>) {
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let message = |kind: &str, parent: &str, content: Value| {
        let message = json!({"header": {"msg_type": kind}, "parent_header": {"msg_id": parent}, "content": content});
        Message::text(message.to_string())
    };
    let rest = |id: &str| {
        [
            message("stream", id, json!({"name": "stdout", "text": "two"})),
            message("execute_reply", id, json!({"status": "ok"})),
            message("status", id, json!({"execution_state": "idle"})),
        ]
    };
    let told = cell.lock().unwrap().clone();
    if let (Some(id), Meanwhile::Finished) = (&told, meanwhile) {
        for message in rest(id) {
            socket.send(message).await.unwrap();
        }
    }
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let request: Value = serde_json::from_str(&text).unwrap();
        let id = request["header"]["msg_id"].as_str().unwrap().to_owned();
        if request["header"]["msg_type"] == "kernel_info_request" {
            socket.send(message("kernel_info_reply", &id, json!({}))).await.unwrap();
            if meanwhile == Meanwhile::Waited && told.is_none() {
                *cell.lock().unwrap() = Some(String::new());
                return;
            }
            continue;
        }
        socket.send(message("stream", &id, json!({"name": "stdout", "text": "one "}))).await.unwrap();
        if meanwhile == Meanwhile::Waited {
            for message in rest(&id) {
                socket.send(message).await.unwrap();
            }
            continue;
        }
        *cell.lock().unwrap() = Some(id);
        return; // the connection breaks
    }
}

async fn play(meanwhile: Meanwhile) -> (Result<(), RunError>, String) {
    let mut kernel = Kernel::open(&stand_in(meanwhile).await, "name").await.unwrap();
    let mut printed = String::new();
    let mut tell = |event: Event| {
        if let Event::Stream { text, .. } = event {
            printed += &text;
        }
    };
    let ran = kernel.execute("print('one', 'two')", &mut tell).await;
    (ran, printed)
}

#[tokio::test]
async fn a_cell_outlives_its_connection() {
    let (ran, printed) = play(Meanwhile::Finished).await;
    assert!(ran.is_ok(), "{ran:?}");
    assert_eq!(printed, "one two");
}

#[tokio::test]
async fn a_cell_is_not_sent_into_a_broken_connection() {
    let (ran, printed) = play(Meanwhile::Waited).await;
    assert!(ran.is_ok(), "{ran:?}");
    assert_eq!(printed, "one two");
}

#[tokio::test]
async fn a_lost_reply_is_not_waited_for() {
    let (ran, _) = play(Meanwhile::Unheard).await;
    assert!(matches!(ran, Err(RunError::Cut)), "{ran:?}");
}

#[tokio::test]
async fn a_kernel_that_died_meanwhile_is_said_to_have() {
    let (ran, _) = play(Meanwhile::Died).await;
    assert!(matches!(ran, Err(RunError::KernelDied)), "{ran:?}");
}
