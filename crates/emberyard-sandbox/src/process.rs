//! A process by an identity that does not get reused: pid, start time and boot.

use crate::error::{Context, Result, SandboxError};
use crate::sys;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::Timespec;
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// A process of this machine, told from a later one with the same pid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// As `/proc` of this machine has it.
    pub pid: i32,
    /// Clock ticks since boot, field 22 of `/proc/PID/stat`.
    pub start_time: u64,
    /// The kernel's id of this boot.
    pub boot: String,
}

/// Longest wait for a killed process to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(10);

impl ProcessId {
    /// The process that now has this pid.
    pub fn of(pid: i32) -> Result<Self> {
        let start_time = stat(pid).ok_or_else(|| SandboxError::Gone(format!("process {pid}")))?.start_time;
        Ok(Self { pid, start_time, boot: boot()? })
    }

    /// The process behind a pidfd, with the pid that `/proc` has for it whatever our own pid namespace is.
    pub(crate) fn of_pidfd(pidfd: BorrowedFd<'_>) -> Result<Self> {
        let path = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
        let text = std::fs::read_to_string(&path).context(|| path)?;
        let pid = text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
        match pid {
            Some(pid) if pid > 0 => Self::of(pid),
            _ => Err(SandboxError::Gone("a process just started".to_owned())),
        }
    }

    /// Whether it still runs (a zombie does not).
    pub fn is_alive(&self) -> bool {
        self.stat().is_some_and(|stat| !stat.is_over())
    }

    /// Whether it runs and will go on. The first process of a pid namespace outlives all others there: it is on its way
    /// out, but alive, while the kernel kills them.
    pub fn goes_on(&self) -> bool {
        self.stat().is_some_and(|stat| !stat.is_over() && stat.flags & EXITING == 0)
    }

    /// Whether it, or its zombie, is still there.
    fn exists(&self) -> bool {
        self.stat().is_some()
    }

    fn stat(&self) -> Option<Stat> {
        stat(self.pid).filter(|stat| stat.start_time == self.start_time && self.is_this_boot())
    }

    fn is_this_boot(&self) -> bool {
        boot().is_ok_and(|boot| boot == self.boot)
    }

    /// A file descriptor of exactly this process.
    pub fn pidfd(&self) -> Result<OwnedFd> {
        let gone = || SandboxError::Gone(format!("process {}", self.pid));
        let pid = Pid::from_raw(self.pid).ok_or_else(gone)?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(|_| gone())?;
        // Checked after opening: from here on the descriptor cannot come to mean another process.
        if self.exists() { Ok(pidfd) } else { Err(gone()) }
    }

    /// Sends a signal; nothing happens when it is gone.
    pub fn signal(&self, signal: i32) -> Result<()> {
        let Ok(pidfd) = self.pidfd() else { return Ok(()) };
        match sys::pidfd_signal(pidfd.as_fd(), signal) {
            Err(error) if error.raw_os_error() != Some(Errno::SRCH.raw_os_error()) => {
                Err(error).context(|| format!("signal {signal} to process {}", self.pid))
            }
            _ => Ok(()),
        }
    }

    /// SIGKILL, and waits (at most 10 s) until it is gone.
    pub fn kill(&self) -> Result<()> {
        let Ok(pidfd) = self.pidfd() else { return Ok(()) };
        self.signal(libc::SIGKILL)?;
        if ended_within(pidfd.as_fd(), Some(GONE_WITHIN))? {
            Ok(())
        } else {
            Err(SandboxError::Refused {
                step: "kill".to_owned(),
                message: format!("process {} does not end; it waits for a disk or device", self.pid),
                errno: 0,
            })
        }
    }
}

/// Waits until the process of a pidfd has ended; false when `timeout` passes before.
pub fn ended_within(pidfd: BorrowedFd<'_>, timeout: Option<Duration>) -> Result<bool> {
    readable_within(pidfd, timeout).context(|| "waiting for a process".to_owned())
}

/// Waits until a descriptor can be read; false when `timeout` passes before.
pub fn readable_within(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> std::io::Result<bool> {
    let until = timeout.map(|timeout| Instant::now() + timeout);
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() });
        match poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], left.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Exit code of a child that has ended, which is reaped: 128 + signal for a signal, and the signal. `None` when it is not
/// our child or was reaped by another.
pub fn reap(pidfd: BorrowedFd<'_>) -> Option<(i32, Option<i32>)> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let status = waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED).ok()??;
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Some((code, None)),
        (None, Some(signal)) => Some((128 + signal, Some(signal))),
        (None, None) => None,
    }
}

/// The kernel's `PF_EXITING`.
const EXITING: u64 = 4;

/// What `/proc/PID/stat` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    state: u8,
    flags: u64,
    start_time: u64,
}

impl Stat {
    fn is_over(self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

fn stat(pid: i32) -> Option<Stat> {
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&text)
}

/// The name, in parentheses, may hold anything, so fields are counted from the last parenthesis.
fn parse_stat(text: &[u8]) -> Option<Stat> {
    let after = text.iter().rposition(|byte| *byte == b')')? + 1;
    let mut fields = std::str::from_utf8(&text[after..]).ok()?.split_ascii_whitespace();
    let state = fields.next()?.bytes().next()?;
    Some(Stat { state, flags: fields.nth(5)?.parse().ok()?, start_time: fields.nth(12)?.parse().ok()? })
}

fn boot() -> Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    std::fs::read_to_string(path).map(|text| text.trim().to_owned()).context(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_parentheses_do_not_confuse() {
        let line = b"42 (a) b ) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 0";
        assert_eq!(parse_stat(line), Some(Stat { state: b'R', flags: 6, start_time: 777 }));
        assert_eq!(parse_stat(b"42 (a"), None);
    }

    #[test]
    fn an_ended_process_is_told_from_its_successor() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let id = ProcessId::of(child.id() as i32).unwrap();
        assert!(id.is_alive() && id.goes_on());
        let impostor = ProcessId { start_time: id.start_time + 1, ..id.clone() };
        assert!(!impostor.is_alive());
        impostor.kill().unwrap();
        assert!(id.is_alive());
        id.kill().unwrap();
        assert!(!id.is_alive() && !id.goes_on());
        child.wait().unwrap();
        assert!(matches!(id.pidfd(), Err(SandboxError::Gone(_))));
    }

    #[test]
    fn another_boot_is_another_process() {
        let mine = ProcessId::of(std::process::id() as i32).unwrap();
        assert!(mine.is_alive());
        assert!(!ProcessId { boot: "earlier".to_owned(), ..mine }.is_alive());
    }
}
