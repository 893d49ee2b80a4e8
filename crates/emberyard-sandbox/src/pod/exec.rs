//! Launching: forking a child that works its way to exec, and hearing from it how far it got. And commands in a container.

use super::container::Container;
use super::inside::{Program, Report, Streams, become_program};
use super::spec::{ExecSpec, IdMap};
use super::start::Spaces;
use crate::failure::{Failure, Step, Steps};
use crate::sys::{self, Forked};
use crate::wire::Channel;
use crate::{cgroup, namespace, process};
use rustix::fd::{AsFd, OwnedFd};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;
use std::convert::Infallible;

/// A process that has become its program.
pub struct Launched {
    /// Its pid as we see it.
    pub pid: Pid,
    /// The process.
    pub pidfd: OwnedFd,
    /// Its mount namespace, if it made one.
    pub mounts: Option<OwnedFd>,
    /// The other side of its terminal, if it made one.
    pub terminal: Option<OwnedFd>,
    /// What could not be done as asked.
    pub notes: Vec<String>,
}

/// Forks; the child goes on with `become_it` until it is its program.
pub fn launch(become_it: impl FnOnce(&Channel) -> Step<Infallible>) -> Step<Launched> {
    let (ours, theirs) = Channel::pair().step("socket pair")?;
    match sys::fork(0).step("fork")? {
        Forked::Child => {
            drop(ours);
            let report = Channel::new(theirs);
            let Err(failure) = become_it(&report);
            let _nobody_listens = report.send(&Report::Failed(failure), &[]);
            sys::exit(127)
        }
        Forked::Parent { pid, pidfd } => {
            drop(theirs);
            let mut launched = Launched { pid, pidfd, mounts: None, terminal: None, notes: Vec::new() };
            match hear(&mut Channel::new(ours), &mut launched) {
                Ok(()) => Ok(launched),
                Err(failure) => {
                    let _gone = sys::pidfd_signal(launched.pidfd.as_fd(), libc::SIGKILL);
                    process::reap(launched.pidfd.as_fd());
                    Err(failure)
                }
            }
        }
    }
}

/// Listens until the child's end closes, which exec does.
fn hear(report: &mut Channel, launched: &mut Launched) -> Step<()> {
    while let Some(said) = report.receive().step("report of a child")? {
        match said {
            Report::Mounted(notes) => {
                launched.mounts = report.take_fd();
                launched.notes = notes;
            }
            Report::Terminal => launched.terminal = report.take_fd(),
            Report::Failed(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// A command that runs in a container, for one client.
#[derive(Debug)]
pub struct Exec {
    pid: Pid,
    /// The process.
    pub pidfd: OwnedFd,
}

impl Exec {
    /// Starts it. The client's ends come back: input if wanted, output, error output unless a terminal.
    pub fn start(spec: &ExecSpec, container: &Container, spaces: &Spaces, ids: IdMap) -> Step<(Self, Vec<OwnedFd>)> {
        let mounts = container.mounts().ok_or_else(|| Failure::new("exec", "the container is not running"))?;
        let (streams, mut clients_ends) = match spec.tty {
            Some(size) => (Streams::Terminal(size), Vec::new()),
            None => pipes(spec.stdin)?,
        };
        let env = [container.env(), &spec.env].concat();
        let launched = launch(|report| {
            rustix::process::setsid().step("setsid")?;
            cgroup::enter(container.groups());
            namespace::enter(mounts.as_fd(), "mount")?;
            let program = Program { argv: &spec.argv, env: &env, streams, ..container.program() };
            become_program(program, Some(spaces), Some(ids), report)
        })?;
        clients_ends.extend(launched.terminal);
        Ok((Self { pid: launched.pid, pidfd: launched.pidfd }, clients_ends))
    }

    /// Kills it with its process group.
    pub fn kill(&self) {
        // It leads a group of its own, and is not reaped yet, so its number is not another's.
        let _gone = rustix::process::kill_process_group(self.pid, rustix::process::Signal::KILL);
    }
}

/// Streams of a program and the other ends of its pipes. Input is `/dev/null` unless wanted.
pub fn pipes(stdin: bool) -> Step<(Streams, Vec<OwnedFd>)> {
    let pipe = || pipe_with(PipeFlags::CLOEXEC).step("pipe");
    let ((out_reader, out), (err_reader, err)) = (pipe()?, pipe()?);
    if stdin {
        let (input, in_writer) = pipe()?;
        Ok((Streams::Pipes([input, out, err]), vec![in_writer, out_reader, err_reader]))
    } else {
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
        let null = rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty()).step_on("open", "/dev/null")?;
        Ok((Streams::Pipes([null, out, err]), vec![out_reader, err_reader]))
    }
}
