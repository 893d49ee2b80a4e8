//! Doing things inside the yard's, a node's or a pod's network: opening sockets, starting programs.

use crate::error::{Context, Result, SandboxError};
use crate::failure::Failure;
use crate::holder::{NodeHolder, YardHolder};
use crate::place_role::{OPEN, OpenOrders, SPAWN, SpawnOrders};
use crate::process::{ProcessId, ended_within, reap};
use crate::{namespace, role};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
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
        if !ended_within(self.pidfd.as_fd(), timeout)? {
            return Ok(None);
        }
        match reap(self.pidfd.as_fd()) {
            Some((code, _)) => Ok(Some(code)),
            None => Err(SandboxError::Gone(format!("process {}", self.process.pid))),
        }
    }
}

impl AsFd for Child {
    /// Readable when it has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// Starts a program in a session of its own, inside the place. It is a child of the caller, which should [`Child::wait`] for it.
pub fn spawn_in(place: &Place, command: Command) -> Result<Child> {
    let fds: Vec<BorrowedFd<'_>> = command.fds.iter().map(|fd| fd.as_fd()).collect();
    let orders = SpawnOrders {
        place: place.process.clone(),
        argv: command.argv,
        env: command.env,
        log: command.log,
        cwd: command.cwd,
    };
    let mut started = role::start(SPAWN, Path::new(""), &orders, &fds)?;
    // The role becomes the program, and the conversation ends with that; an answer is a failure.
    let refused = started.channel.receive::<Failure>().context(|| "answer of a sandbox process".to_owned())?;
    if let Some(failure) = refused {
        let _code = started.child.wait();
        return Err(failure.into());
    }
    let process = ProcessId::of(started.child.id() as i32)?;
    let pidfd = process.pidfd()?;
    Ok(Child { process, pidfd })
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
    let orders = OpenOrders { place: place.process.clone(), sockets: sockets.to_vec() };
    let ((), fds) = role::start(OPEN, Path::new(""), &orders, &[])?.finish()?;
    if fds.len() == sockets.len() {
        Ok(fds)
    } else {
        Err(SandboxError::Protocol(format!("{} sockets came instead of {}", fds.len(), sockets.len())))
    }
}

/// The place's network namespace as a file descriptor.
pub fn netns_of(place: &Place) -> Result<OwnedFd> {
    // Opened first and checked afterwards, so that a reused pid is noticed.
    let network =
        namespace::network_of(&place.process).context(|| format!("network of process {}", place.process.pid))?;
    if place.process.is_alive() {
        Ok(network)
    } else {
        Err(SandboxError::Gone(format!("process {}", place.process.pid)))
    }
}
