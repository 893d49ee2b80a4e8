//! `/exec` and `/attach` over a WebSocket.

use super::registry::PodView;
use super::route::is_on;
use super::server::{Body, text};
use super::socket::{self, STATUS, STDERR, STDOUT, Said};
use super::upgrade;
use emberyard_sandbox::{ExecHandle, ExecSpec, PodSandbox, WindowSize};
use futures::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A new command.
    Command,
    /// The container's own streams.
    Attach,
}

/// Messages waiting for a slow client.
const QUEUE: usize = 64;
const CHUNK: usize = 32 << 10;
/// How often a running command's thread looks for orders (sizes, the client's leaving).
const LOOK: Duration = Duration::from_millis(50);
/// How long the rest of the output may take after the command has ended: something may hold the pipe open.
const REST: Duration = Duration::from_secs(2);

/// Accepts the upgrade and goes on in the background.
pub(super) fn answer(
    request: Request<Incoming>,
    pod: PodView,
    container: &str,
    query: &[(String, String)],
    what: What,
) -> Response<Body> {
    let headers = request.headers();
    if !upgrade::text_of(headers, header::UPGRADE).eq_ignore_ascii_case("websocket") {
        return text(StatusCode::BAD_REQUEST, "this node speaks WebSocket only (v5.channel.k8s.io)");
    }
    let Some(protocol) = socket::choose(&upgrade::offered(headers, header::SEC_WEBSOCKET_PROTOCOL)) else {
        return text(StatusCode::BAD_REQUEST, "offer v5.channel.k8s.io or v4.channel.k8s.io");
    };
    let Some(response) = upgrade::to_websocket(headers, Some(protocol)) else {
        return text(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing");
    };
    let running = pod.status_of(container).is_some_and(|s| s["state"]["running"].is_object());
    let (Some(sandbox), true) = (pod.sandbox, running) else {
        return text(StatusCode::BAD_REQUEST, &format!("container {container} is not running"));
    };
    let on = |long: &str, short: &str| is_on(query, long) || is_on(query, short);
    let tty = on("tty", "tty").then_some(WindowSize { rows: 24, columns: 80 });
    let spec = ExecSpec {
        container: container.to_owned(),
        argv: query.iter().filter(|(k, _)| k == "command").map(|(_, v)| v.clone()).collect(),
        env: if tty.is_some() { vec![("TERM".into(), "xterm".into())] } else { Vec::new() },
        tty,
        stdin: on("stdin", "input"),
    };
    if what == What::Command && spec.argv.is_empty() {
        return text(StatusCode::BAD_REQUEST, "you must specify at least 1 command for the container");
    }
    tokio::spawn(async move {
        match hyper::upgrade::on(request).await {
            Ok(upgraded) => {
                let stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
                converse(stream, sandbox, spec, what).await;
            }
            Err(error) => tracing::debug!(%error, "an upgrade did not happen"),
        }
    });
    response
}

/// Orders to the thread that owns the command.
enum Order {
    Resize(u16, u16),
    Leave,
}

/// The running thing: streams, and what tells its end.
struct Running {
    input: Option<std::sync::mpsc::Sender<Vec<u8>>>,
    output: mpsc::Receiver<(u8, Vec<u8>)>,
    orders: std::sync::mpsc::Sender<Order>,
    end: tokio::sync::oneshot::Receiver<Result<i32, String>>,
}

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

async fn converse(stream: Socket, sandbox: PodSandbox, spec: ExecSpec, what: What) {
    let (mut sink, mut source) = stream.split();
    let begun = tokio::task::spawn_blocking(move || begin(&sandbox, &spec, what)).await;
    let result = match begun.unwrap_or_else(|e| Err(e.to_string())) {
        Ok(mut running) => {
            let mut result = None;
            let mut over = false;
            loop {
                let patience = if over { REST } else { Duration::MAX };
                tokio::select! {
                    piece = running.output.recv() => match piece {
                        Some((channel, bytes)) => {
                            if sink.send(Message::binary(socket::write(channel, &bytes))).await.is_err() {
                                let _ = running.orders.send(Order::Leave);
                                return;
                            }
                        }
                        None => break,
                    },
                    said = source.next() => match said {
                        Some(Ok(Message::Binary(message))) => match socket::read(&message) {
                            Said::Input(bytes) => if let Some(input) = &running.input {
                                let _ = input.send(bytes);
                            },
                            Said::EndOfInput => running.input = None,
                            Said::Resize(rows, columns) => _ = running.orders.send(Order::Resize(rows, columns)),
                            Said::Nothing => {}
                        },
                        Some(Ok(Message::Close(_)) | Err(_)) | None => {
                            let _ = running.orders.send(Order::Leave);
                            return;
                        }
                        Some(Ok(_)) => {}
                    },
                    end = &mut running.end, if !over => {
                        result = Some(end.unwrap_or_else(|_| Err("the command was lost".to_owned())));
                        over = true;
                    }
                    () = tokio::time::sleep(patience) => break,
                }
            }
            match result {
                Some(result) => result,
                None => running.end.await.unwrap_or_else(|_| Err("the command was lost".to_owned())),
            }
        }
        Err(message) => Err(message),
    };
    let last = socket::status(&result).to_string();
    let _ = sink.send(Message::binary(socket::write(STATUS, last.as_bytes()))).await;
    // Clients take any other code than "normal" for a failure of the connection.
    let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    let _ = sink.send(Message::Close(Some(normal))).await;
    // The client closes from its side; until then the answer must not be cut off.
    let _ =
        tokio::time::timeout(Duration::from_secs(2), async { while let Some(Ok(_)) = source.next().await {} }).await;
}

fn begin(sandbox: &PodSandbox, spec: &ExecSpec, what: What) -> Result<Running, String> {
    let (output_in, output) = mpsc::channel(QUEUE);
    let (orders, orders_out) = std::sync::mpsc::channel();
    let (ended, end) = tokio::sync::oneshot::channel();
    let input;
    match what {
        What::Command => {
            let mut handle = sandbox.exec(spec).map_err(|e| e.to_string())?;
            input = handle.stdin.take().map(feed);
            let copy = handle.stdout.try_clone().map_err(|e| e.to_string())?;
            drain(copy, STDOUT, output_in.clone());
            if let Some(errors) = handle.stderr.take() {
                drain(errors, STDERR, output_in);
            }
            std::thread::spawn(move || {
                let _ = ended.send(watch(handle, &orders_out));
            });
        }
        What::Attach => {
            let handle = sandbox.attach(&spec.container).map_err(|e| e.to_string())?;
            let terminal = handle.stdin.as_ref().and_then(|fd| fd.try_clone().ok());
            input = handle.stdin.filter(|_| spec.stdin).map(feed);
            drain(handle.stdout, STDOUT, output_in.clone());
            if let Some(errors) = handle.stderr {
                drain(errors, STDERR, output_in);
            }
            let (sandbox, container) = (sandbox.clone(), spec.container.clone());
            std::thread::spawn(move || {
                // The container's exit code is the pod's business: an attachment that lasted to the end went well.
                let _ = ended.send(sandbox.wait(&container).map(|_| 0).map_err(|e| e.to_string()));
            });
            std::thread::spawn(move || {
                while let Ok(Order::Resize(rows, columns)) = orders_out.recv() {
                    if let Some(terminal) = &terminal {
                        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
                        let _ = tcsetwinsize(terminal, size);
                    }
                }
            });
        }
    }
    Ok(Running { input, output, orders, end })
}

/// Waits for a command's end, carrying out orders meanwhile. Leaving drops the handle, which kills the command.
fn watch(mut handle: ExecHandle, orders: &std::sync::mpsc::Receiver<Order>) -> Result<i32, String> {
    loop {
        if let Some(code) = handle.wait(Some(LOOK)).map_err(|e| e.to_string())? {
            return Ok(code);
        }
        loop {
            match orders.try_recv() {
                Ok(Order::Resize(rows, columns)) => _ = handle.resize(rows, columns),
                Ok(Order::Leave) | Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                    return Err("the client left".to_owned());
                }
                Err(std::sync::mpsc::TryRecvError::Empty) => break,
            }
        }
    }
}

/// Passes output on from a thread of its own until it ends (for a terminal: until reading fails).
fn drain(fd: OwnedFd, channel: u8, output: mpsc::Sender<(u8, Vec<u8>)>) {
    std::thread::spawn(move || {
        let (mut file, mut buffer) = (File::from(fd), vec![0; CHUNK]);
        while let Ok(length) = file.read(&mut buffer) {
            if length == 0 || output.blocking_send((channel, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    });
}

/// Passes input on from a thread of its own; dropping the sender closes it.
fn feed(fd: OwnedFd) -> std::sync::mpsc::Sender<Vec<u8>> {
    let (sender, receiver) = std::sync::mpsc::channel::<Vec<u8>>();
    std::thread::spawn(move || {
        let mut file = File::from(fd);
        while let Ok(bytes) = receiver.recv() {
            if file.write_all(&bytes).is_err() {
                return;
            }
        }
    });
    sender
}
