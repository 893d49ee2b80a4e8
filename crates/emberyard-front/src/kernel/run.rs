//! Cells in order, outputs as they come, the first error ends it.

use super::channel::Channel;
use super::jupyter::{Jupyter, Session};
use super::{Document, RunError};
use futures::FutureExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// A kernel that starts is asked again at this pace whether it is there.
const NUDGE: Duration = Duration::from_secs(1);

/// A kernel that is started anew is waited for so long.
const ANEW_WITHIN: Duration = Duration::from_secs(20);

/// How a file is run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The session's name. A name that is in use joins that session's kernel, so it should be a new one.
    pub session: String,
    /// Time for everything; none: without limit.
    pub timeout: Option<Duration>,
}

/// What happens during a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A code cell begins.
    Cell {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// Text on standard output or error.
    Stream {
        /// Whether it is standard error.
        error: bool,
        /// The text.
        text: String,
    },
    /// What the cell's last expression gave, as text.
    Result(String),
    /// What was shown beside it, as text.
    Show(String),
    /// A traceback, with terminal colours.
    Traceback(String),
}

/// A kernel of one's own that stays between cells, for whoever looks at the cluster in between.
pub struct Kernel {
    jupyter: Jupyter,
    session: Session,
    channel: Channel,
}

impl Kernel {
    /// Starts a Python kernel under a session of this name, which should be a new one.
    pub async fn open(jupyter: &Jupyter, name: &str) -> Result<Self, RunError> {
        let session = jupyter.open(name, "python3").await?;
        let mut channel = Channel::open(jupyter, &session, name).await?;
        awake(&mut channel).await?;
        Ok(Self { jupyter: jupyter.clone(), session, channel })
    }

    /// The id that Jupyter gave it; it is in the name of its connection file.
    pub fn kernel_id(&self) -> &str {
        &self.session.kernel
    }

    /// Runs one cell; its outputs go to `tell`.
    pub async fn execute(&mut self, code: &str, tell: &mut (dyn FnMut(Event) + Send)) -> Result<(), RunError> {
        let mut document = Document::read("cell.py", code)?;
        cell(&mut self.channel, &mut document, 0, code, tell).await
    }

    /// Ends the kernel, as closing a notebook does.
    pub async fn close(self) -> Result<(), RunError> {
        self.jupyter.close(&self.session).await
    }
}

/// Runs every code cell in a kernel of its own and ends that kernel, whatever happens. Outputs go to `tell` and into the document.
pub async fn run(
    jupyter: &Jupyter,
    document: &mut Document,
    options: &RunOptions,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<(), RunError> {
    document.clear();
    let session = jupyter.open(&options.session, document.kernel_name()).await?;
    let cells = cells(jupyter, &session, document, options, tell);
    let done = match options.timeout {
        Some(limit) => tokio::time::timeout(limit, cells).await.unwrap_or(Err(RunError::Timeout(limit))),
        None => cells.await,
    };
    if matches!(done, Err(RunError::KernelDied)) {
        // Jupyter starts it anew; a session that ends in the middle of that leaves the new kernel behind.
        let anew = async { awake(&mut Channel::open(jupyter, &session, &options.session).await?).await };
        let _ = tokio::time::timeout(ANEW_WITHIN, anew).await;
    }
    let closed = jupyter.close(&session).await;
    match (done, closed) {
        // A kernel that died took its session with it.
        (Err(error), _) | (Ok(()), Err(error)) => Err(error),
        (Ok(()), Ok(())) => Ok(()),
    }
}

async fn cells(
    jupyter: &Jupyter,
    session: &Session,
    document: &mut Document,
    options: &RunOptions,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<(), RunError> {
    let mut channel = Channel::open(jupyter, session, &options.session).await?;
    awake(&mut channel).await?;
    let of = document.len();
    for number in 0..of {
        let code = document.source(number);
        if code.trim().is_empty() {
            continue;
        }
        tell(Event::Cell { number: number + 1, of });
        cell(&mut channel, document, number, &code, tell).await?;
    }
    Ok(())
}

/// Waits until the kernel answers; what is sent before it listens can be lost.
async fn awake(channel: &mut Channel) -> Result<(), RunError> {
    loop {
        channel.send("kernel_info_request", json!({})).await?;
        let reply = async {
            loop {
                let message = channel.next().await?;
                if message["header"]["msg_type"] == "kernel_info_reply" {
                    return Ok(());
                }
            }
        };
        if let Ok(answered) = tokio::time::timeout(NUDGE, reply).await {
            return answered;
        }
    }
}

/// What came since the last cell. A cell that is sent into a connection that has broken meanwhile would be lost.
async fn between_cells(channel: &mut Channel) -> Result<(), RunError> {
    while let Some(message) = channel.next().now_or_never() {
        match message {
            Err(RunError::Cut) => channel.reopen().await?,
            message => alive(&message?)?,
        }
    }
    Ok(())
}

/// Whether a message does not say that the kernel has ended.
fn alive(message: &Value) -> Result<(), RunError> {
    let is_status = message["header"]["msg_type"] == "status";
    match message["content"]["execution_state"].as_str() {
        Some("restarting" | "dead") if is_status => Err(RunError::KernelDied),
        _ => Ok(()),
    }
}

async fn cell(
    channel: &mut Channel,
    document: &mut Document,
    number: usize,
    code: &str,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<(), RunError> {
    let request = json!({
        "code": code, "silent": false, "store_history": true, "user_expressions": {}, "allow_stdin": false,
        "stop_on_error": true,
    });
    between_cells(channel).await?;
    let id = channel.send("execute_request", request).await?;
    let mut reply = None;
    let mut idle = false;
    let mut clear_first = false;
    // Outputs that may change later: their name and place.
    let mut displays: BTreeMap<String, usize> = BTreeMap::new();
    // Asked after a connection that broke: a kernel answers in order, so its answer comes after the cell's.
    let mut after_break = None;
    // The reply and the last output travel on two channels; both must have arrived.
    while reply.is_none() || !idle {
        let message = match channel.next().await {
            Err(RunError::Cut) => {
                channel.reopen().await?;
                after_break = Some(channel.send("kernel_info_request", json!({})).await?);
                continue;
            }
            message => message?,
        };
        let content = &message["content"];
        let kind = message["header"]["msg_type"].as_str().unwrap_or_default();
        alive(&message)?;
        let parent = message["parent_header"]["msg_id"].as_str();
        if kind == "kernel_info_reply" && parent.is_some() && parent == after_break.as_deref() {
            // The cell is over; what it said last went down with the connection.
            if reply.is_none() {
                return Err(RunError::Cut);
            }
            idle = true;
        }
        if parent != Some(id.as_str()) {
            continue;
        }
        match kind {
            "status" => idle |= content["execution_state"] == "idle",
            "execute_input" => document.set_count(number, &content["execution_count"]),
            "execute_reply" => reply = Some(content.clone()),
            "clear_output" if content["wait"] == true => clear_first = true,
            "clear_output" => {
                document.clear_outputs(number);
                displays.clear();
            }
            "stream" | "display_data" | "execute_result" | "error" => {
                if std::mem::take(&mut clear_first) {
                    document.clear_outputs(number);
                    displays.clear();
                }
                let place = document.add_output(number, output(kind, content));
                if let Some(name) = content["transient"]["display_id"].as_str() {
                    displays.insert(name.to_owned(), place);
                }
                tell(event(kind, content));
            }
            "update_display_data" => {
                let name = content["transient"]["display_id"].as_str().unwrap_or_default();
                if let Some(place) = displays.get(name) {
                    document.change_output(number, *place, content);
                }
            }
            _ => {}
        }
    }
    let reply = reply.unwrap_or_default();
    if reply["status"] == "ok" {
        return Ok(());
    }
    let text = |field: &str| reply[field].as_str().unwrap_or_default().to_owned();
    Err(RunError::Cell { number: number + 1, name: text("ename"), value: text("evalue") })
}

/// A message as nbformat 4 keeps it.
fn output(kind: &str, content: &Value) -> Value {
    let mut output = json!({"output_type": kind});
    let fields: &[&str] = match kind {
        "stream" => &["name", "text"],
        "error" => &["ename", "evalue", "traceback"],
        "execute_result" => &["data", "metadata", "execution_count"],
        _ => &["data", "metadata"],
    };
    for field in fields {
        output[*field] = content[*field].clone();
    }
    output
}

/// A message as a person reads it.
fn event(kind: &str, content: &Value) -> Event {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match kind {
        "stream" => Event::Stream { error: content["name"] == "stderr", text: text(&content["text"]) },
        "error" => {
            let lines: Vec<String> = content["traceback"].as_array().into_iter().flatten().map(text).collect();
            Event::Traceback(lines.join("\n"))
        }
        "execute_result" => Event::Result(text(&content["data"]["text/plain"])),
        _ => Event::Show(text(&content["data"]["text/plain"])),
    }
}
