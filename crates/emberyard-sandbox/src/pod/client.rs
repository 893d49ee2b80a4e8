//! The agent's side of a pod: connecting to its supervisor and asking things of it.

use super::spec::{ContainerSpec, ExecSpec, PodSandboxSpec};
use super::state::{ContainerState, Ended};
use crate::error::Result;
use crate::holder::NodeHolder;
use crate::place::Place;
use crate::process::ProcessId;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A pod that runs, by its supervisor. Cheap; each call makes a connection of its own, so it may be shared between threads.
#[derive(Debug, Clone)]
pub struct PodSandbox {
    dir: PathBuf,
    supervisor: ProcessId,
    init: ProcessId,
}

/// Starts a pod's supervisor and namespaces inside the node. Containers are started after its network is set up.
pub fn start_pod(node: &NodeHolder, spec: &PodSandboxSpec) -> Result<PodSandbox> {
    todo!("{node:?} {spec:?}")
}

impl PodSandbox {
    /// Finds the supervisor of a pod that was started earlier, by its folder.
    pub fn open(dir: &Path) -> Result<Self> {
        todo!("{dir:?}")
    }

    /// States that were recorded in a pod's folder, also when its supervisor is gone.
    pub fn recorded(dir: &Path) -> Result<Vec<ContainerState>> {
        todo!("{dir:?}")
    }

    /// The pod's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The supervisor's process.
    pub fn supervisor(&self) -> &ProcessId {
        &self.supervisor
    }

    /// The init process of the pod's pid namespace.
    pub fn init(&self) -> &ProcessId {
        &self.init
    }

    /// The pod's network namespace (the node's for a pod on the host network).
    pub fn netns_fd(&self) -> Result<OwnedFd> {
        todo!()
    }

    /// The pod's network as a place for [`crate::open_in`] and [`crate::spawn_in`].
    pub fn place(&self) -> Place {
        Place::of(self.supervisor.clone())
    }

    /// Starts a container; returns when its program runs. [`crate::SandboxError::Refused`] names the step otherwise: `exec` when
    /// the program could not be run (errno says why).
    pub fn start_container(&self, spec: &ContainerSpec) -> Result<ContainerState> {
        todo!("{spec:?}")
    }

    /// Runs a command in a container.
    pub fn exec(&self, spec: &ExecSpec) -> Result<ExecHandle> {
        todo!("{spec:?}")
    }

    /// Streams of a container's main process from now on.
    pub fn attach(&self, container: &str) -> Result<AttachHandle> {
        todo!("{container}")
    }

    /// Sends a signal to a container's main process.
    pub fn signal(&self, container: &str, signal: i32) -> Result<()> {
        todo!("{container} {signal}")
    }

    /// Kills every process of a container.
    pub fn kill_container(&self, container: &str) -> Result<()> {
        todo!("{container}")
    }

    /// All attempts of all containers.
    pub fn list(&self) -> Result<Vec<ContainerState>> {
        todo!()
    }

    /// Forgets an ended attempt (its state file included), when a newer one has replaced it.
    pub fn forget(&self, container: &str, attempt: u32) -> Result<()> {
        todo!("{container} {attempt}")
    }

    /// Waits until the newest attempt of the container has ended.
    pub fn wait(&self, container: &str) -> Result<Ended> {
        todo!("{container}")
    }

    /// Follows the states of all containers.
    pub fn watch(&self) -> Result<Watch> {
        todo!()
    }

    /// Kills everything in the pod, waits until it is gone, ends the supervisor. State files and logs stay.
    pub fn stop(&self) -> Result<Vec<ContainerState>> {
        todo!()
    }
}

/// A command that runs in a container. Dropping it kills the command.
#[derive(Debug)]
pub struct ExecHandle {
    /// Where to write its input, when asked for; for a terminal the terminal itself.
    pub stdin: Option<OwnedFd>,
    /// Its output; for a terminal the terminal itself, where reading ends with `EIO`.
    pub stdout: OwnedFd,
    /// Its error output; absent for a terminal.
    pub stderr: Option<OwnedFd>,
    connection: OwnedFd,
}

impl ExecHandle {
    /// Waits for its end: the exit code (128 + signal for a signal). `None` when `timeout` passes before.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Option<i32>> {
        todo!("{timeout:?}")
    }

    /// Changes the terminal's size.
    pub fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        todo!("{rows}{columns}")
    }

    /// Sends a signal to the command.
    pub fn signal(&mut self, signal: i32) -> Result<()> {
        todo!("{signal}")
    }
}

impl AsFd for ExecHandle {
    /// Readable when [`ExecHandle::wait`] would not block.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

/// Streams of a container's main process.
#[derive(Debug)]
pub struct AttachHandle {
    /// Its input, when the container has one; for a terminal the terminal itself (write only: output comes by `stdout`).
    pub stdin: Option<OwnedFd>,
    /// Copy of its output; ends with the container or when the reader is too slow (1 MiB behind).
    pub stdout: OwnedFd,
    /// Copy of its error output; absent for a terminal.
    pub stderr: Option<OwnedFd>,
}

/// Changes of a pod's containers. When the supervisor ends, [`Watch::next`] says [`crate::SandboxError::Gone`].
#[derive(Debug)]
pub struct Watch {
    connection: OwnedFd,
}

impl Watch {
    /// The states after the next change; at once the first time. `None` when `timeout` passes before.
    pub fn next(&mut self, timeout: Option<Duration>) -> Result<Option<Vec<ContainerState>>> {
        todo!("{timeout:?}")
    }
}

impl AsFd for Watch {
    /// Readable when [`Watch::next`] would not block.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}
