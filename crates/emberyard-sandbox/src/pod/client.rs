//! The agent's side of a pod: connecting to its supervisor and asking things of it.

use super::inside::resize;
use super::protocol::{OLDEST, RECORD, Record, Reply, Request, SOCKET, STATES, VERSION};
use super::spec::{ContainerSpec, ExecSpec, PodSandboxSpec, WindowSize};
use super::start::{POD, PodOrders};
use super::state::{ContainerState, Ended};
use crate::error::{Context, Result, SandboxError};
use crate::holder::NodeHolder;
use crate::place::Place;
use crate::process::{ProcessId, ended_within, readable_within};
use crate::usage::{self, Usage};
use crate::wire::{Channel, Filled};
use crate::{record, role};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A pod that runs, by its supervisor. Cheap; each call makes a connection of its own, so it may be shared between threads.
#[derive(Debug, Clone)]
pub struct PodSandbox {
    dir: PathBuf,
    record: Record,
}

/// Starts a pod's supervisor and namespaces inside the node. Containers are started after its network is set up. If there is
/// a pod in its folder that runs, it is that one.
pub fn start_pod(node: &NodeHolder, spec: &PodSandboxSpec) -> Result<PodSandbox> {
    let dir = spec.dir.canonicalize().context(|| spec.dir.display().to_string())?;
    if let Ok(pod) = PodSandbox::open(&dir) {
        return Ok(pod);
    }
    let spec = PodSandboxSpec { dir: dir.clone(), ..spec.clone() };
    let orders = PodOrders { node: node.process.clone(), cgroups: node.cgroups.clone(), spec };
    Ok(PodSandbox { dir, record: role::call(POD, &node.yard, &orders)? })
}

impl PodSandbox {
    /// Finds the supervisor of a pod that was started earlier, by its folder. [`SandboxError::Gone`] when it runs no longer.
    pub fn open(dir: &Path) -> Result<Self> {
        let dir = dir.canonicalize().context(|| dir.display().to_string())?;
        match record::read::<Record>(&dir.join(RECORD))? {
            Some(record) if record.supervisor.is_alive() => {
                let pod = Self { dir, record };
                pod.connect()?;
                Ok(pod)
            }
            _ => Err(SandboxError::Gone(format!("the pod in {}", dir.display()))),
        }
    }

    /// States that were recorded in a pod's folder, also when its supervisor is gone.
    pub fn recorded(dir: &Path) -> Result<Vec<ContainerState>> {
        let mut states = Vec::new();
        for entry in std::fs::read_dir(dir.join(STATES)).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|kind| kind == "json") {
                states.extend(record::read::<ContainerState>(&path)?);
            }
        }
        states.sort_by(|a, b| (&a.name, a.attempt).cmp(&(&b.name, b.attempt)));
        Ok(states)
    }

    fn connect(&self) -> Result<Channel> {
        let gone = || SandboxError::Gone(format!("the pod in {}", self.dir.display()));
        // By way of the folder's descriptor, as a socket's path may have only 107 bytes.
        let folder = std::fs::File::open(&self.dir).context(|| self.dir.display().to_string())?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()));
        let socket = UnixStream::connect(path).map_err(|_| gone())?;
        let mut channel = Channel::new(socket.into());
        let hello = Request::Hello { version: VERSION };
        match ask(&mut channel, &hello, &self.dir)? {
            Reply::Hello { version } if (OLDEST..=VERSION).contains(&version) => Ok(channel),
            Reply::Hello { version } => {
                Err(SandboxError::Version { dir: self.dir.clone(), theirs: version, ours: VERSION })
            }
            other => Err(unexpected(&other)),
        }
    }

    fn ask(&self, request: &Request) -> Result<(Reply, Channel)> {
        let mut channel = self.connect()?;
        let reply = ask(&mut channel, request, &self.dir)?;
        Ok((reply, channel))
    }

    fn order(&self, request: &Request) -> Result<()> {
        match self.ask(request)?.0 {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// The pod's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The supervisor's process.
    pub fn supervisor(&self) -> &ProcessId {
        &self.record.supervisor
    }

    /// The init process of the pod's pid namespace.
    pub fn init(&self) -> &ProcessId {
        &self.record.init
    }

    /// The processes in the pod's pid namespace.
    pub fn processes(&self) -> Result<Vec<ProcessId>> {
        Ok(usage::pids_beside(self.init())?.into_iter().filter_map(|pid| ProcessId::of(pid).ok()).collect())
    }

    /// The pod's network namespace (the node's for a pod on the host network).
    pub fn netns_fd(&self) -> Result<OwnedFd> {
        crate::place::netns_of(&self.place())
    }

    /// The pod's network as a place for [`crate::open_in`] and [`crate::spawn_in`].
    pub fn place(&self) -> Place {
        Place::of(self.record.supervisor.clone())
    }

    /// Starts a container; returns when its program runs. [`crate::SandboxError::Refused`] names the step otherwise: `exec` when
    /// the program could not be run (errno says why).
    pub fn start_container(&self, spec: &ContainerSpec) -> Result<ContainerState> {
        match self.ask(&Request::Start(Box::new(spec.clone())))?.0 {
            Reply::State(state) => Ok(*state),
            other => Err(unexpected(&other)),
        }
    }

    /// Runs a command in a container.
    pub fn exec(&self, spec: &ExecSpec) -> Result<ExecHandle> {
        let (reply, mut channel) = self.ask(&Request::Exec(spec.clone()))?;
        let (stdin, stdout, stderr) = if spec.tty.is_some() {
            let terminal = channel.take_fd().ok_or_else(missing)?;
            let input = spec.stdin.then(|| terminal.try_clone()).transpose().context(|| "terminal".to_owned())?;
            (input, terminal, None)
        } else {
            streams(&reply, &mut channel)?
        };
        Ok(ExecHandle { stdin, stdout, stderr, channel, ended: None })
    }

    /// Streams of a container's main process from now on.
    pub fn attach(&self, container: &str) -> Result<AttachHandle> {
        let (reply, mut channel) = self.ask(&Request::Attach { container: container.to_owned() })?;
        let (stdin, stdout, stderr) = streams(&reply, &mut channel)?;
        Ok(AttachHandle { stdin, stdout, stderr })
    }

    /// Sends a signal to a container's main process.
    pub fn signal(&self, container: &str, signal: i32) -> Result<()> {
        self.order(&Request::Signal { container: container.to_owned(), signal })
    }

    /// Kills every process of a container.
    pub fn kill_container(&self, container: &str) -> Result<()> {
        self.order(&Request::Kill { container: container.to_owned() })
    }

    /// All attempts of all containers.
    pub fn list(&self) -> Result<Vec<ContainerState>> {
        match self.ask(&Request::List)?.0 {
            Reply::States(states) => Ok(states),
            other => Err(unexpected(&other)),
        }
    }

    /// Forgets an ended attempt (its state file included), when a newer one has replaced it.
    pub fn forget(&self, container: &str, attempt: u32) -> Result<()> {
        self.order(&Request::Forget { container: container.to_owned(), attempt })
    }

    /// Waits until the newest attempt of the container has ended.
    pub fn wait(&self, container: &str) -> Result<Ended> {
        let mut watch = self.watch()?;
        loop {
            let states = watch.next(None)?.unwrap_or_default();
            let newest = states.into_iter().filter(|state| state.name == container).max_by_key(|state| state.attempt);
            match newest {
                Some(ContainerState { ended: Some(ended), .. }) => return Ok(ended),
                Some(_) => {}
                None => return Err(SandboxError::Gone(format!("container {container}"))),
            }
        }
    }

    /// What the pod's processes use now.
    pub fn usage(&self) -> Result<Usage> {
        usage::of_pid_namespace(self.init())
    }

    /// Follows the states of all containers.
    pub fn watch(&self) -> Result<Watch> {
        let channel = self.connect()?;
        channel.send(&Request::Watch, &[]).context(|| self.dir.display().to_string())?;
        Ok(Watch { channel, dir: self.dir.clone() })
    }

    /// Kills everything in the pod, waits until it is gone, ends the supervisor. State files and logs stay.
    pub fn stop(&self) -> Result<Vec<ContainerState>> {
        let states = match self.ask(&Request::Stop)?.0 {
            Reply::States(states) => states,
            other => return Err(unexpected(&other)),
        };
        if let Ok(pidfd) = self.record.supervisor.pidfd() {
            ended_within(pidfd.as_fd(), Some(Duration::from_secs(10)))?;
        }
        Ok(states)
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
    channel: Channel,
    ended: Option<i32>,
}

impl ExecHandle {
    /// Waits for its end: the exit code (128 + signal for a signal). `None` when `timeout` passes before.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Option<i32>> {
        loop {
            if self.ended.is_some() {
                return Ok(self.ended);
            }
            match next(&mut self.channel, timeout)? {
                None => return Ok(None),
                Some(Reply::Ended { code }) => self.ended = Some(code),
                // The answer to a signal.
                Some(Reply::Done | Reply::Failed(_)) => {}
                Some(other) => return Err(unexpected(&other)),
            }
        }
    }

    /// Changes the terminal's size.
    pub fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        resize(&self.stdout, WindowSize { rows, columns }).context(|| "terminal size".to_owned())
    }

    /// Sends a signal to the command.
    pub fn signal(&mut self, signal: i32) -> Result<()> {
        let request = Request::ExecSignal { signal };
        self.channel.send(&request, &[]).context(|| format!("signal {signal}"))
    }
}

impl AsFd for ExecHandle {
    /// Readable when [`ExecHandle::wait`] would not block.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
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

impl AttachHandle {
    /// Changes the size of the container's terminal; nothing when it has none or no input.
    pub fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        match &self.stdin {
            Some(terminal) if rustix::termios::isatty(terminal) => {
                resize(terminal, WindowSize { rows, columns }).context(|| "terminal size".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Changes of a pod's containers. When the supervisor ends, [`Watch::next`] says [`crate::SandboxError::Gone`].
#[derive(Debug)]
pub struct Watch {
    channel: Channel,
    dir: PathBuf,
}

impl Watch {
    /// The states after the next change; at once the first time. `None` when `timeout` passes before.
    pub fn next(&mut self, timeout: Option<Duration>) -> Result<Option<Vec<ContainerState>>> {
        match next(&mut self.channel, timeout) {
            Ok(None) => Ok(None),
            Ok(Some(Reply::States(states))) => Ok(Some(states)),
            Ok(Some(other)) => Err(unexpected(&other)),
            Err(SandboxError::Gone(_)) => Err(SandboxError::Gone(format!("the pod in {}", self.dir.display()))),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for Watch {
    /// Readable when [`Watch::next`] would not block.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

fn ask(channel: &mut Channel, request: &Request, dir: &Path) -> Result<Reply> {
    let gone = || SandboxError::Gone(format!("the pod in {}", dir.display()));
    channel.send(request, &[]).map_err(|_| gone())?;
    match channel.receive().map_err(|error| SandboxError::Protocol(error.to_string()))? {
        Some(Reply::Failed(failure)) => Err(failure.into()),
        Some(reply) => Ok(reply),
        None => Err(gone()),
    }
}

/// The next message, waiting for it at most so long.
fn next(channel: &mut Channel, timeout: Option<Duration>) -> Result<Option<Reply>> {
    let until = timeout.map(|timeout| Instant::now() + timeout);
    loop {
        if let Some(reply) = channel.take().map_err(|error| SandboxError::Protocol(error.to_string()))? {
            return Ok(Some(reply));
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if !readable_within(channel.as_fd(), left).context(|| "waiting for a pod".to_owned())? {
            return Ok(None);
        }
        if channel.fill().context(|| "waiting for a pod".to_owned())? == Filled::End {
            return Err(SandboxError::Gone("the pod".to_owned()));
        }
    }
}

type Three = (Option<OwnedFd>, OwnedFd, Option<OwnedFd>);

/// The streams that came with a reply.
fn streams(reply: &Reply, channel: &mut Channel) -> Result<Three> {
    let Reply::Streams { stdin, stderr } = reply else { return Err(unexpected(reply)) };
    let mut take = |wanted: bool| if wanted { channel.take_fd().ok_or_else(missing).map(Some) } else { Ok(None) };
    let (stdin, stdout, stderr) = (take(*stdin)?, take(true)?, take(*stderr)?);
    Ok((stdin, stdout.ok_or_else(missing)?, stderr))
}

fn missing() -> SandboxError {
    SandboxError::Protocol("a stream is missing".to_owned())
}

fn unexpected(reply: &Reply) -> SandboxError {
    SandboxError::Protocol(format!("{reply:?}"))
}
