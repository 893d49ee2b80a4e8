//! Roles: this program executed again for one purpose. The parent's side starts one and talks to it; the role's side takes
//! its orders from the socket on descriptor 0.

use crate::error::{Context, Result, SandboxError};
use crate::failure::{Failure, Step, Steps};
use crate::sweep::YARD_MARK;
use crate::sys;
use crate::wire::Channel;
use rustix::fs::{Mode, OFlags};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Where a role keeps its conversation: above the numbers at which descriptors are handed to programs.
const ABOVE_PLACED: i32 = 200;

/// What a role answers.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer<T> {
    /// It is done.
    Done(T),
    /// A step failed.
    Failed(Failure),
}

/// A role that was started.
pub struct Started {
    /// Its process; must be waited for.
    pub child: Child,
    /// The conversation with it.
    pub channel: Channel,
}

/// Executes this program as `role`, giving it its orders. `yard` marks the process.
pub fn start<T: Serialize>(role: &str, yard: &Path, orders: &T, fds: &[BorrowedFd<'_>]) -> Result<Started> {
    let (ours, theirs) = Channel::pair().context(|| "socket pair".to_owned())?;
    let child = Command::new("/proc/self/exe")
        .arg0("emberyard")
        .arg(role)
        .arg(yard)
        .env_clear()
        .env(YARD_MARK, yard)
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .spawn()
        .context(|| format!("starting {role}"))?;
    let channel = Channel::new(ours);
    let mut started = Started { child, channel };
    match started.channel.send(orders, fds) {
        Ok(()) => Ok(started),
        Err(error) => {
            let _gone = started.child.kill();
            let _reaped = started.child.wait();
            Err(error).context(|| format!("orders of {role}"))
        }
    }
}

impl Started {
    /// Waits for its answer and reaps it. For roles that end, or leave a daemon behind, after their answer.
    pub fn finish<T: DeserializeOwned>(mut self) -> Result<(T, Vec<OwnedFd>)> {
        let answer = self.channel.receive::<Answer<T>>().context(|| "answer of a sandbox process".to_owned());
        let fds = self.channel.take_fds();
        drop(self.channel);
        self.child.wait().context(|| "waiting for a sandbox process".to_owned())?;
        match answer? {
            Some(Answer::Done(value)) => Ok((value, fds)),
            Some(Answer::Failed(failure)) => Err(failure.into()),
            None => Err(SandboxError::Protocol("it ended without an answer".to_owned())),
        }
    }
}

/// Runs a role to its answer.
pub fn call<O: Serialize, T: DeserializeOwned>(role: &str, yard: &Path, orders: &O) -> Result<T> {
    start(role, yard, orders, &[])?.finish().map(|(value, _)| value)
}

/// The role's side: its orders and the conversation. Descriptor 0 is `/dev/null` from here on.
pub fn take_orders<T: DeserializeOwned>() -> Step<(T, Channel)> {
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), ABOVE_PLACED).step("orders")?;
    sys::close_inherited(socket.as_fd());
    silence_stdin()?;
    let mut channel = Channel::new(socket);
    let orders = channel.receive().step("orders")?.ok_or_else(|| Failure::new("orders", "there are none"))?;
    Ok((orders, channel))
}

/// Answers with a result.
pub fn answer<T: Serialize>(channel: &Channel, result: Step<T>, fds: &[BorrowedFd<'_>]) -> Step<()> {
    let answer = match result {
        Ok(value) => Answer::Done(value),
        Err(failure) => Answer::Failed(failure),
    };
    channel.send(&answer, fds).step("answer")
}

fn null() -> Step<OwnedFd> {
    rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).step_on("open", "/dev/null")
}

fn silence_stdin() -> Step<()> {
    rustix::stdio::dup2_stdin(null()?).step("standard input")
}

/// Cuts a daemon off from whoever started it: own session, no standard streams, root as working folder.
pub fn detach() -> Step<()> {
    rustix::process::setsid().step("setsid")?;
    let null = null()?;
    rustix::stdio::dup2_stdin(&null).step("standard input")?;
    rustix::stdio::dup2_stdout(&null).step("standard output")?;
    rustix::stdio::dup2_stderr(&null).step("standard error")?;
    rustix::process::chdir("/").step("chdir")
}

/// Sleeps until killed. Nothing is left open.
pub fn hold() -> ! {
    sys::close_others();
    loop {
        // Waits for readiness of nothing; only a signal ends it.
        let _interrupted = rustix::event::poll(&mut [], None);
    }
}
