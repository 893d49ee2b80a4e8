//! A pod's supervisor: one thread that waits for many things at once.

use super::client_side::Client;
use super::container::Container;
use super::exec::Exec;
use super::oom::OutOfMemory;
use super::protocol::{RECORD, Reply, Request, SOCKET, STATES, VERSION};
use super::spec::PodSandboxSpec;
use super::start::Spaces;
use super::state::ContainerState;
use crate::failure::{Failure, Step, Steps};
use crate::{cgroup, process, record, sys};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::path::PathBuf;

/// Clients served at once; more wait to be accepted.
const MOST_CLIENTS: usize = 256;
/// Bytes read from a container at once.
const CHUNK: usize = 16 << 10;
/// Between two looks at a container whose memory is full.
const SOON: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// A pod's supervisor.
pub struct Supervisor {
    spec: PodSandboxSpec,
    spaces: Spaces,
    groups: Vec<PathBuf>,
    notes: Vec<String>,
    listener: OwnedFd,
    init_ended: bool,
    stopping: bool,
    containers: Vec<Container>,
    clients: Vec<Client>,
    buffer: Vec<u8>,
}

/// Something that is ready. Indices hold for one round.
#[derive(Clone, Copy)]
enum Ready {
    Listener,
    Init,
    Main(usize),
    Stream(usize, usize),
    Memory(usize),
    Client(usize),
    Exec(usize),
}

impl Supervisor {
    /// Of a pod whose namespaces are made.
    pub fn new(
        spec: PodSandboxSpec,
        spaces: Spaces,
        groups: Vec<PathBuf>,
        notes: Vec<String>,
        listener: OwnedFd,
    ) -> Self {
        Self {
            spec,
            spaces,
            groups,
            notes,
            listener,
            init_ended: false,
            stopping: false,
            containers: Vec::new(),
            clients: Vec::new(),
            buffer: vec![0; CHUNK],
        }
    }

    /// Serves until the pod is stopped.
    pub fn serve(&mut self) -> Step<()> {
        loop {
            let (clients, containers): (Vec<_>, Vec<_>) =
                self.wait()?.into_iter().partition(|ready| matches!(ready, Ready::Client(_)));
            // Streams last to first, as one that has ended leaves the list; clients at the end, as they change the other one.
            for ready in containers.into_iter().rev().chain(clients) {
                self.handle(ready);
            }
            self.containers.iter_mut().for_each(Container::end_if_out_of_memory);
            self.clients.retain(|client| !client.is_over());
            if self.stopping && self.init_ended && self.containers.iter().all(|one| one.main.is_none()) {
                self.finish();
                return Ok(());
            }
        }
    }

    fn wait(&self) -> Step<Vec<Ready>> {
        let mut waiting: Vec<(Ready, BorrowedFd<'_>)> = Vec::new();
        if self.clients.len() < MOST_CLIENTS {
            waiting.push((Ready::Listener, self.listener.as_fd()));
        }
        if !self.init_ended {
            waiting.push((Ready::Init, self.spaces.init.as_fd()));
        }
        for (number, container) in self.containers.iter().enumerate() {
            waiting.extend(container.main.iter().map(|main| (Ready::Main(number), main.as_fd())));
            waiting.extend(container.memory.iter().map(|memory| (Ready::Memory(number), memory.event.as_fd())));
            let streams = container.streams.iter().enumerate();
            waiting.extend(streams.map(|(stream, source)| (Ready::Stream(number, stream), source.fd.as_fd())));
        }
        for (number, client) in self.clients.iter().enumerate() {
            waiting.extend(client.exec.iter().map(|exec| (Ready::Exec(number), exec.pidfd.as_fd())));
            if !client.gone {
                waiting.push((Ready::Client(number), client.channel.as_fd()));
            }
        }
        let mut polled: Vec<PollFd<'_>> =
            waiting.iter().map(|(_, fd)| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        let full = self.containers.iter().any(|one| one.memory.as_ref().is_some_and(OutOfMemory::is_full));
        match poll(&mut polled, full.then_some(&SOON)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).step("poll"),
        }
        let ready = waiting.iter().zip(&polled).filter(|(_, polled)| !polled.revents().is_empty());
        Ok(ready.map(|((ready, _), _)| *ready).collect())
    }

    fn handle(&mut self, ready: Ready) {
        match ready {
            Ready::Listener => self.accept(),
            Ready::Init => {
                process::reap(self.spaces.init.as_fd());
                self.init_ended = true;
            }
            Ready::Main(number) => self.ended(number),
            Ready::Stream(number, stream) => {
                if let Some(container) = self.containers.get_mut(number) {
                    container.pump(stream, &mut self.buffer);
                }
            }
            Ready::Memory(number) => {
                if let Some(container) = self.containers.get_mut(number) {
                    container.memory_full();
                }
            }
            Ready::Exec(number) => {
                if let Some(client) = self.clients.get_mut(number) {
                    client.exec_ended();
                }
            }
            Ready::Client(number) => self.hear(number),
        }
    }

    fn accept(&mut self) {
        let Ok(socket) = rustix::net::accept_with(&self.listener, rustix::net::SocketFlags::CLOEXEC) else { return };
        self.clients.push(Client::new(socket));
    }

    fn ended(&mut self, number: usize) {
        let Some(container) = self.containers.get_mut(number) else { return };
        container.end(&mut self.buffer);
        let state = container.state.clone();
        self.changed(&state);
    }

    /// Writes a state down and tells those who watch.
    fn changed(&mut self, state: &ContainerState) {
        let _disk_full = record::write(&self.state_file(&state.name, state.attempt), state);
        let states = self.states();
        for client in self.clients.iter_mut().filter(|client| client.watching) {
            client.say(&Reply::States(states.clone()), &[]);
        }
    }

    fn state_file(&self, name: &str, attempt: u32) -> PathBuf {
        self.spec.dir.join(STATES).join(format!("{name}.{attempt}.json"))
    }

    fn states(&self) -> Vec<ContainerState> {
        self.containers.iter().map(|container| container.state.clone()).collect()
    }

    fn hear(&mut self, number: usize) {
        let Some(client) = self.clients.get_mut(number) else { return };
        client.read();
        while let Some(request) = self.clients[number].next_request() {
            match self.answer(number, request) {
                Ok(Some((reply, fds))) => self.clients[number].say(&reply, &fds),
                Ok(None) => {}
                Err(failure) => self.clients[number].say(&Reply::Failed(failure), &[]),
            }
        }
    }

    fn answer(&mut self, number: usize, request: Request) -> Step<Option<(Reply, Vec<OwnedFd>)>> {
        let plain = |reply| Ok(Some((reply, Vec::new())));
        match request {
            Request::Hello { .. } => plain(Reply::Hello { version: VERSION }),
            Request::List => plain(Reply::States(self.states())),
            Request::Watch => {
                self.clients[number].watching = true;
                plain(Reply::States(self.states()))
            }
            Request::Start(spec) => {
                if self.stopping || self.init_ended {
                    return Err(Failure::new("start", "the pod has ended"));
                }
                let mut spec = *spec;
                spec.limits.pids = spec.limits.pids.or(self.spec.limits.pids);
                let mut container = Container::start(spec, &self.spaces, self.spec.ids, &self.groups)?;
                container.state.notes.extend_from_slice(&self.notes);
                let state = container.state.clone();
                self.containers.retain(|old| (&old.state.name, old.state.attempt) != (&state.name, state.attempt));
                self.containers.push(container);
                self.changed(&state);
                plain(Reply::State(Box::new(state)))
            }
            Request::Exec(spec) => {
                let container = self.newest(&spec.container)?;
                let (exec, fds) = Exec::start(&spec, container, &self.spaces, self.spec.ids)?;
                self.clients[number].exec = Some(exec);
                Ok(Some((Reply::Streams { stdin: spec.stdin, stderr: spec.tty.is_none() }, fds)))
            }
            Request::ExecSignal { signal } => {
                let exec =
                    self.clients[number].exec.as_ref().ok_or_else(|| Failure::new("signal", "no command runs"))?;
                sys::pidfd_signal(exec.pidfd.as_fd(), signal).step_on("signal", signal)?;
                plain(Reply::Done)
            }
            Request::Attach { container } => self.attach(&container).map(Some),
            Request::Signal { container, signal } => {
                self.newest(&container)?.signal(signal)?;
                plain(Reply::Done)
            }
            Request::Kill { container } => {
                let container = self.newest(&container)?;
                container.signal(libc::SIGKILL)?;
                container.kill_rest();
                plain(Reply::Done)
            }
            Request::Forget { container, attempt } => {
                let meant = |one: &Container| one.state.name == container && one.state.attempt == attempt;
                if self.containers.iter().any(|one| meant(one) && one.main.is_some()) {
                    return Err(Failure::new("forget", "the container is running"));
                }
                self.containers.retain(|one| !meant(one));
                record::remove(&self.state_file(&container, attempt))?;
                plain(Reply::Done)
            }
            Request::Stop => {
                self.clients[number].waits_for_stop = true;
                self.stopping = true;
                if !self.init_ended {
                    sys::pidfd_signal(self.spaces.init.as_fd(), libc::SIGKILL).step("kill")?;
                }
                Ok(None)
            }
        }
    }

    fn newest(&self, name: &str) -> Step<&Container> {
        let of_name = self.containers.iter().filter(|container| container.state.name == name);
        of_name
            .max_by_key(|container| container.state.attempt)
            .ok_or_else(|| Failure::new("container", format!("there is no \"{name}\"")))
    }

    fn attach(&mut self, name: &str) -> Step<(Reply, Vec<OwnedFd>)> {
        let attempt = self.newest(name)?.state.attempt;
        let found = self.containers.iter_mut().find(|one| one.state.name == name && one.state.attempt == attempt);
        match found {
            Some(container) if container.main.is_some() => super::client_side::attach(container),
            _ => Err(Failure::new("attach", "the container is not running")),
        }
    }

    /// The last words; the pod's folder keeps logs and states.
    fn finish(&mut self) {
        cgroup::remove(&self.groups);
        for file in [RECORD, SOCKET] {
            let _gone = record::remove(&self.spec.dir.join(file));
        }
        let states = self.states();
        for client in self.clients.iter_mut().filter(|client| client.waits_for_stop) {
            client.say(&Reply::States(states.clone()), &[]);
        }
    }
}

/// Kills all processes in a mount namespace. `/proc` has the machine's pids, so ours are looked up by nesting.
pub fn kill_by_mounts(inode: u64) {
    use std::os::unix::fs::MetadataExt;
    let nested = |process: &str| -> Option<Vec<i32>> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
        Some(line.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
    };
    let Some(depth) = nested("self").map(|pids| pids.len()) else { return };
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else { continue };
        let inside = std::fs::metadata(format!("/proc/{pid}/ns/mnt")).is_ok_and(|meta| meta.ino() == inode);
        if inside && let Some(own) = nested(pid).and_then(|pids| rustix::process::Pid::from_raw(*pids.get(depth - 1)?))
        {
            let _gone = rustix::process::kill_process(own, rustix::process::Signal::KILL);
        }
    }
}
