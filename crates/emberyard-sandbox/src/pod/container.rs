//! One attempt of a container: started, logged, ended.

use super::exec::{launch, pipes};
use super::inside::{Program, Report, Streams, become_program};
use super::log::{Lines, Log, Source};
use super::oom::OutOfMemory;
use super::spec::{ContainerSpec, IdMap, WindowSize};
use super::start::Spaces;
use super::state::{ContainerState, Ended};
use crate::failure::{Failure, Step, Steps};
use crate::process::{ProcessId, readable_within, reap};
use crate::rootfs::{self, Base, Ids, Plan};
use crate::wire::Channel;
use crate::{cgroup, sys};
use emberyard_model::Timestamp;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::Mode;
use std::convert::Infallible;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Terminal size until a client says otherwise.
const TERMINAL: WindowSize = WindowSize { rows: 24, columns: 80 };

/// One attempt of a container.
pub struct Container {
    /// What is told about it.
    pub state: ContainerState,
    /// Its main process, until it is reaped.
    pub main: Option<OwnedFd>,
    /// Its output.
    pub streams: Vec<Stream>,
    /// Its input, if it has one that is still open.
    pub stdin: Option<OwnedFd>,
    /// Its memory, while it runs and must be watched.
    pub memory: Option<OutOfMemory>,
    spec: ContainerSpec,
    log: Log,
    groups: Vec<PathBuf>,
    mounts: Option<OwnedFd>,
}

/// One stream of output.
pub struct Stream {
    /// Where it comes from.
    pub fd: OwnedFd,
    lines: Lines,
    /// Attached clients.
    pub copies: Vec<OwnedFd>,
}

/// The clock of the machine.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_micros() as i64)
}

impl Container {
    /// Starts it; it runs its program when this returns.
    pub fn start(spec: ContainerSpec, spaces: &Spaces, ids: IdMap, pod_groups: &[PathBuf]) -> Step<Self> {
        let name = &spec.name;
        if name.is_empty() || name.starts_with('.') || name.contains('/') {
            return Err(Failure::new("container", format!("\"{name}\" is not a name")));
        }
        let log = Log::open(&spec.log).step_on("log", spec.log.display())?;
        let groups = cgroup::create_below(pod_groups, &format!("{name}.{}", spec.attempt));
        let mut notes = cgroup::limit(&groups, &spec.limits);
        let memory = OutOfMemory::watch(&groups).unwrap_or_else(|failure| {
            notes.push(format!("{}: {}", failure.step, failure.message));
            None
        });
        let (streams, mut ours) = if spec.tty { (Streams::Terminal(TERMINAL), Vec::new()) } else { pipes(spec.stdin)? };
        let launched = launch(|report| become_container(&spec, streams, &groups, spaces, ids, report));
        let launched = launched.inspect_err(|_| cgroup::remove(&groups))?;
        notes.extend(launched.notes);
        if let (IdMap::Single { uid, .. }, true) = (ids, spec.uid != own_uid(ids)) {
            notes.push(format!("user {} is not in the pod's user namespace; it runs as {uid}", spec.uid));
        }
        let stdin = match &launched.terminal {
            Some(terminal) if spec.stdin => Some(rustix::io::fcntl_dupfd_cloexec(terminal, 3).step("terminal")?),
            None if spec.stdin => Some(ours.remove(0)),
            _ => None,
        };
        ours.extend(launched.terminal);
        let streams = ours
            .into_iter()
            .zip([Source::Stdout, Source::Stderr])
            .map(|(fd, source)| Stream { fd, lines: Lines::new(source), copies: Vec::new() })
            .collect();
        let state = ContainerState {
            name: name.clone(),
            attempt: spec.attempt,
            process: ProcessId::of_pidfd(launched.pidfd.as_fd())?,
            started: now(),
            ended: None,
            notes,
            memory_cgroup: cgroup::has(&groups, "memory").cloned(),
        };
        let (main, mounts) = (Some(launched.pidfd), launched.mounts);
        Ok(Self { state, main, streams, stdin, memory, spec, log, groups, mounts })
    }

    /// Reads once from a stream that has something; a stream that has ended is dropped.
    pub fn pump(&mut self, stream: usize, buffer: &mut [u8]) {
        let Some(source) = self.streams.get_mut(stream) else { return };
        match rustix::io::read(&source.fd, &mut *buffer) {
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Ok(got) if got > 0 => {
                let _disk_full = source.lines.push(&mut self.log, &buffer[..got], now());
                // A client that does not keep up is let go: its container must not wait for it.
                source.copies.retain(|copy| rustix::io::write(copy, &buffer[..got]).is_ok_and(|put| put == got));
            }
            // A terminal says EIO when its last process has closed it.
            _ => {
                let _disk_full = source.lines.end(&mut self.log, now());
                self.streams.remove(stream);
            }
        }
    }

    /// Its main process has ended: takes everything of it down and notes how.
    pub fn end(&mut self, buffer: &mut [u8]) {
        let Some(main) = self.main.take() else { return };
        let (exit_code, signal) = reap(main.as_fd()).unwrap_or((137, Some(libc::SIGKILL)));
        self.kill_rest();
        let mut stream = 0;
        while let Some(source) = self.streams.get(stream) {
            let before = self.streams.len();
            if readable_within(source.fd.as_fd(), Some(Duration::ZERO)).unwrap_or(false) {
                self.pump(stream, buffer);
            } else {
                stream += 1;
            }
            debug_assert!(self.streams.len() <= before);
        }
        let out_of_memory = cgroup::out_of_memory_kills(&self.groups) > 0;
        let memory_peak = cgroup::memory_peak(&self.groups);
        let programs = self.memory.take().map(OutOfMemory::into_programs).unwrap_or_default();
        self.state.ended = Some(Ended { at: now(), exit_code, signal, out_of_memory, memory_peak, programs });
        (self.stdin, self.mounts) = (None, None);
        cgroup::remove(&self.groups);
    }

    /// Kills what else runs in the container, main process included.
    pub fn kill_rest(&self) {
        if cgroup::kill(&self.groups) {
            return;
        }
        if let Some(inode) = self.mounts_inode() {
            super::supervisor::kill_by_mounts(inode);
        }
    }

    fn mounts_inode(&self) -> Option<u64> {
        self.mounts.as_ref().and_then(|mounts| rustix::fs::fstat(mounts).ok()).map(|stat| stat.st_ino)
    }

    /// Its memory is full, or that of a group above it.
    pub fn memory_full(&mut self) {
        let mounts = self.mounts_inode().unwrap_or(0);
        if let Some(memory) = &mut self.memory {
            memory.heard(mounts);
        }
    }

    /// Ends it as a whole once the kernel has killed a part of it. Its main process is then waited for as always.
    pub fn end_if_out_of_memory(&mut self) {
        if self.memory.as_mut().is_some_and(|memory| memory.is_full() && memory.has_killed()) {
            let _gone = self.signal(libc::SIGKILL);
            self.kill_rest();
        }
    }

    /// Signal to the main process; nothing when it has ended.
    pub fn signal(&self, signal: i32) -> Step<()> {
        match &self.main {
            Some(main) => sys::pidfd_signal(main.as_fd(), signal).step_on("signal", signal),
            None => Ok(()),
        }
    }

    /// Its mount namespace, while it runs.
    pub fn mounts(&self) -> Option<&OwnedFd> {
        self.mounts.as_ref()
    }

    /// Its environment.
    pub fn env(&self) -> &[(String, String)] {
        &self.spec.env
    }

    /// Its control groups.
    pub fn groups(&self) -> &[PathBuf] {
        &self.groups
    }

    /// Whether a new client takes its input with it.
    pub fn input_ends_with_client(&self) -> bool {
        self.spec.stdin_once
    }

    /// Its program, for others to vary; without streams.
    pub fn program(&self) -> Program<'_> {
        program(&self.spec, Streams::Inherited, &self.groups)
    }
}

fn own_uid(ids: IdMap) -> u32 {
    match ids {
        IdMap::Single { uid, .. } => uid,
        IdMap::Range { .. } => 0,
    }
}

fn program<'a>(spec: &'a ContainerSpec, streams: Streams, groups: &[PathBuf]) -> Program<'a> {
    Program {
        argv: &spec.argv,
        env: &spec.env,
        cwd: &spec.cwd,
        user: (spec.uid, spec.gid),
        groups: &spec.groups,
        processes: if cgroup::has(groups, "pids").is_some() { None } else { spec.limits.pids },
        confined: !spec.unconfined,
        streams,
    }
}

/// The child's way from the supervisor's copy to the container's program.
fn become_container(
    spec: &ContainerSpec,
    streams: Streams,
    groups: &[PathBuf],
    spaces: &Spaces,
    ids: IdMap,
    report: &Channel,
) -> Step<Infallible> {
    rustix::process::setsid().step("setsid")?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let mut notes = cgroup::enter(groups);
    if spec.oom_score_adj != 0
        && let Err(error) = std::fs::write("/proc/self/oom_score_adj", spec.oom_score_adj.to_string())
    {
        notes.push(format!("out-of-memory score {}: {error}", spec.oom_score_adj));
    }
    rootfs::own_mounts()?;
    let mounts = File::open("/proc/self/ns/mnt").step_on("open", "/proc/self/ns/mnt")?;
    let plan = Plan {
        base: Base::Layers(&spec.lowers, &spec.scratch),
        read_only: spec.read_only_root,
        mounts: &spec.mounts,
        shm_size: spec.shm_size.unwrap_or(rootfs::SHM_SIZE),
        ids: Ids { map: Some(ids), user_namespace: Some(spaces.user.as_fd()), user: (spec.uid, spec.gid) },
        cwd: &spec.cwd,
        groups,
    };
    notes.extend(rootfs::enter(&plan)?);
    debug_assert!(mounts.metadata().is_ok_and(|meta| meta.ino() > 0));
    report.send(&Report::Mounted(notes), &[mounts.as_fd()]).step("report")?;
    become_program(program(spec, streams, groups), Some(spaces), Some(ids), report)
}
