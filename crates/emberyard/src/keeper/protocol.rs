//! What the keeper can be asked over its socket: one JSON line there, one back.

use emberyard_model::NodeName;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// What runs?
    Status,
    /// Start a node; the keeper chooses its name.
    NodeAdd {
        /// What it declares.
        shape: crate::yard::Shape,
    },
    /// Stop a node and forget it.
    NodeRemove {
        /// The node.
        name: NodeName,
    },
    /// Kill a node as a power cut would; it stays known as dead.
    NodeKill {
        /// The node.
        name: NodeName,
    },
    /// Stop everything.
    Down,
}

/// An answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// What runs.
    Status(Status),
    /// The node of `NodeAdd`.
    Node(NodeStatus),
    /// Done.
    Done,
    /// Not done, and why.
    Refused {
        /// What happened and what to do.
        why: String,
    },
}

/// What runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// How far the start is.
    pub stage: Stage,
    /// The keeper's process.
    pub keeper_pid: u32,
    /// Version of the keeper's program; empty from one that did not tell yet.
    #[serde(default)]
    pub version: String,
    /// The mode that runs: `root` or `rootless`.
    pub mode: String,
    /// How pods reach the outside; a keeper of an older program does not say.
    #[serde(default)]
    pub outbound: Option<emberyard_node::net::yard::Outbound>,
    /// Port of the API on 127.0.0.1.
    pub api_port: u16,
    /// Port of the gateway on 127.0.0.1.
    pub gateway_port: u16,
    /// The nodes.
    pub nodes: Vec<NodeStatus>,
}

/// How far a start is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum Stage {
    /// Under way.
    Starting {
        /// What is being done.
        step: String,
    },
    /// All processes run.
    Running,
    /// On its way down.
    Stopping,
    /// The start failed.
    Failed {
        /// Why.
        why: String,
    },
}

/// A node as the keeper knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name.
    pub name: NodeName,
    /// Its address in the yard.
    pub ip: std::net::Ipv4Addr,
    /// `booting`, `running` or `dead`.
    pub phase: NodePhase,
    /// What it declares.
    pub shape: crate::yard::Shape,
}

/// Life of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodePhase {
    /// Its boot delay runs, or its processes start.
    Booting,
    /// Holder and agent run.
    Running,
    /// Its holder is gone.
    Dead,
}

/// Asks the keeper and waits for its answer.
pub fn ask(socket: &Path, question: &Ask, patience: Duration) -> std::io::Result<Answer> {
    let mut stream = connect(socket)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut line = serde_json::to_vec(question)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

/// Connects to a socket in a folder whose path may be longer than a socket address holds (108 bytes): the
/// folder is opened first and the socket named through it.
fn connect(socket: &Path) -> std::io::Result<UnixStream> {
    with_short_path(socket, |short| UnixStream::connect(short))
}

/// Calls with a name of the socket that fits a socket address.
pub fn with_short_path<T>(socket: &Path, call: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
    use std::os::fd::AsRawFd;
    if socket.as_os_str().len() < 100 {
        return call(socket);
    }
    let wrong = || std::io::Error::new(std::io::ErrorKind::InvalidInput, "a socket needs a folder and a name");
    let folder = std::fs::File::open(socket.parent().ok_or_else(wrong)?)?;
    let short =
        format!("/proc/self/fd/{}/{}", folder.as_raw_fd(), socket.file_name().ok_or_else(wrong)?.to_string_lossy());
    call(Path::new(&short))
}
