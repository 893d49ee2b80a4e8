//! Doing things inside the yard's, a node's or a pod's network: opening sockets, starting programs.

use crate::error::Result;
use crate::holder::{NodeHolder, YardHolder};
use crate::process::ProcessId;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

/// The user and network namespaces of a process. The pid namespace is not joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    process: ProcessId,
}

impl Place {
    /// Where this process is.
    pub fn of(process: ProcessId) -> Self {
        Self { process }
    }
}

impl From<&YardHolder> for Place {
    fn from(yard: &YardHolder) -> Self {
        Self::of(yard.process.clone())
    }
}

impl From<&NodeHolder> for Place {
    fn from(node: &NodeHolder) -> Self {
        Self::of(node.process.clone())
    }
}

/// A program to start in a place.
#[derive(Debug)]
pub struct Command {
    /// Program (absolute path, or `/proc/self/exe` for this program) and arguments.
    pub argv: Vec<OsString>,
    /// The whole environment. `LISTEN_FDS` and `LISTEN_PID` are not added.
    pub env: Vec<(OsString, OsString)>,
    /// Become file descriptors 3, 4 …
    pub fds: Vec<OwnedFd>,
    /// Standard output and error are appended here (mode 0600).
    pub log: PathBuf,
    /// Working folder.
    pub cwd: PathBuf,
}

/// A program that was started. It lives on when this value is dropped.
#[derive(Debug)]
pub struct Child {
    /// Its identity.
    pub process: ProcessId,
    pidfd: OwnedFd,
}

impl Child {
    /// Waits for its end and reaps it. `None` when `timeout` passes before. Exit code is 128 + signal for a signal.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Option<i32>> {
        todo!("{timeout:?} {:?}", self.pidfd)
    }
}

/// Starts a program in a session of its own, inside the place. It is a child of the caller, which should [`Child::wait`] for it.
pub fn spawn_in(place: &Place, command: Command) -> Result<Child> {
    todo!("{place:?} {command:?}")
}

/// A socket to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SocketSpec {
    /// Bound and listening TCP socket.
    Tcp(SocketAddr),
    /// Bound UDP socket.
    Udp(SocketAddr),
    /// Netlink socket for links, addresses and routes.
    NetlinkRoute,
    /// Netlink socket for nftables.
    NetlinkNetfilter,
}

/// Opens sockets inside the place, in the order asked for. All are close-on-exec and blocking.
pub fn open_in(place: &Place, sockets: &[SocketSpec]) -> Result<Vec<OwnedFd>> {
    todo!("{place:?} {sockets:?}")
}

/// The place's network namespace as a file descriptor.
pub fn netns_of(place: &Place) -> Result<OwnedFd> {
    todo!("{place:?}")
}
