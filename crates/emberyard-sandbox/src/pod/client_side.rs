//! The supervisor's view of one client.

use super::container::Container;
use super::exec::Exec;
use super::protocol::{Reply, Request};
use crate::failure::{Step, Steps};
use crate::process::reap;
use crate::wire::{Channel, Filled};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::OFlags;

/// How far a reader of copied output may fall behind, bytes.
const BEHIND: usize = 1 << 20;

/// A connected client. Nothing it does or omits may hold up the pod.
pub struct Client {
    /// The conversation.
    pub channel: Channel,
    /// It is told of every change.
    pub watching: bool,
    /// It is told when the pod has ended.
    pub waits_for_stop: bool,
    /// Its command.
    pub exec: Option<Exec>,
    /// It hung up or was hung up on.
    pub gone: bool,
}

impl Client {
    /// Just connected.
    pub fn new(socket: OwnedFd) -> Self {
        Self { channel: Channel::new(socket), watching: false, waits_for_stop: false, exec: None, gone: false }
    }

    /// Reads what it says. When it hangs up its command is killed.
    pub fn read(&mut self) {
        if !matches!(self.channel.fill(), Ok(Filled::Some | Filled::Nothing)) {
            self.hang_up();
        }
        // Nobody sends us descriptors for a reason.
        self.channel.take_fds();
    }

    /// Its next request. One that cannot be understood ends the conversation.
    pub fn next_request(&mut self) -> Option<Request> {
        match self.channel.take() {
            Ok(request) => request,
            Err(error) => {
                let failure = Err::<(), _>(error).step("request").err();
                if let Some(failure) = failure {
                    self.say(&Reply::Failed(failure), &[]);
                }
                self.hang_up();
                None
            }
        }
    }

    /// Says something; a client that does not listen is hung up on.
    pub fn say(&mut self, reply: &Reply, fds: &[OwnedFd]) {
        let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        if !self.gone && self.channel.send_now(reply, &fds).is_err() {
            self.hang_up();
        }
    }

    /// Its command has ended.
    pub fn exec_ended(&mut self) {
        if let Some(exec) = self.exec.take() {
            let (code, _) = reap(exec.pidfd.as_fd()).unwrap_or((137, None));
            self.say(&Reply::Ended { code }, &[]);
        }
    }

    /// Whether there is nothing left to do for it.
    pub fn is_over(&self) -> bool {
        self.gone && self.exec.is_none()
    }

    fn hang_up(&mut self) {
        self.gone = true;
        if let Some(exec) = &self.exec {
            exec.kill();
        }
    }
}

/// A client's share of a container's streams: its input, and copies of its output from now on.
pub fn attach(container: &mut Container) -> Step<(Reply, Vec<OwnedFd>)> {
    let stdin = if container.input_ends_with_client() {
        container.stdin.take()
    } else {
        container.stdin.as_ref().map(|fd| rustix::io::fcntl_dupfd_cloexec(fd, 3)).transpose().step("standard input")?
    };
    let reply = Reply::Streams { stdin: stdin.is_some(), stderr: container.streams.len() > 1 };
    let mut fds: Vec<OwnedFd> = stdin.into_iter().collect();
    for stream in &mut container.streams {
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).step("pipe")?;
        rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK).step("pipe")?;
        let _smaller_is_fine = rustix::pipe::fcntl_setpipe_size(&writer, BEHIND);
        stream.copies.push(writer);
        fds.push(reader);
    }
    Ok((reply, fds))
}
