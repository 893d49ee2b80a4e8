//! The keeper's own processes: control plane, operator, agents. A child that ends is started again, ever later
//! while it keeps ending; a child of an earlier keeper is adopted.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// API server, scheduler, controllers.
    Api,
    /// Operator and gateway.
    Operator,
    /// A node's agent.
    Agent(emberyard_model::NodeName),
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api => f.write_str("api"),
            Self::Operator => f.write_str("operator"),
            Self::Agent(node) => write!(f, "agent-{node}"),
        }
    }
}

/// A process that may outlive its keeper. The start time tells it from another that got the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Clock ticks from the machine's start to its own (`/proc/PID/stat`, field 22).
    pub start_time: u64,
}

impl Process {
    /// The process with this number, if it lives.
    pub fn find(pid: u32) -> Option<Self> {
        start_time(pid).map(|start_time| Self { pid, start_time })
    }

    /// Whether it is still the same and not a zombie.
    pub fn is_alive(self) -> bool {
        start_time(self.pid) == Some(self.start_time)
    }

    /// Sends a signal, if it is still the same process.
    pub fn signal(self, signal: rustix::process::Signal) {
        if let (true, Some(pid)) = (self.is_alive(), i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw)) {
            // Gone in between: what we wanted.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Completes when it has ended.
    pub async fn ended(self) {
        let open = || -> Option<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>> {
            let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid).ok()?)?;
            let fd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::NONBLOCK).ok()?;
            tokio::io::unix::AsyncFd::with_interest(fd, tokio::io::Interest::READABLE).ok()
        };
        let watched = open();
        if !self.is_alive() {
            return;
        }
        match watched {
            Some(fd) => {
                let _ = fd.readable().await;
            }
            None => {
                while self.is_alive() {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    /// Asks it to end, and after `patience` makes it.
    pub async fn stop(self, patience: Duration) {
        self.signal(rustix::process::Signal::TERM);
        if tokio::time::timeout(patience, self.ended()).await.is_err() {
            self.signal(rustix::process::Signal::KILL);
            let _ = tokio::time::timeout(Duration::from_secs(5), self.ended()).await;
        }
    }
}

/// Start time of a live, non-zombie process.
fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = &stat[stat.rfind(')')? + 2..];
    let mut fields = after_name.split(' ');
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Remembers children for the next keeper.
#[derive(Debug)]
pub struct Records(PathBuf);

impl Records {
    /// In this folder.
    pub fn new(folder: &Path) -> Self {
        Self(folder.to_path_buf())
    }

    fn path(&self, role: &Role) -> PathBuf {
        self.0.join(format!("{role}.json"))
    }

    /// The process of an earlier keeper, if it still lives.
    pub fn adopt(&self, role: &Role) -> Option<Process> {
        let process: Process = serde_json::from_slice(&std::fs::read(self.path(role)).ok()?).ok()?;
        process.is_alive().then_some(process)
    }

    /// Remembers.
    pub fn write(&self, role: &Role, process: Process) -> std::io::Result<()> {
        crate::yard::folder::write_private(&self.path(role), &serde_json::to_vec(&process)?)
    }

    /// Forgets.
    pub fn forget(&self, role: &Role) {
        let _ = std::fs::remove_file(self.path(role));
    }
}

/// Waiting time before the next start: none at first, then doubled up to ten seconds; a minute of life resets it.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after a life of this length.
    pub fn after(&mut self, lived: Duration) -> Duration {
        if lived > Duration::from_secs(60) {
            self.failures = 0;
        }
        self.failures += 1;
        match self.failures {
            1 => Duration::ZERO,
            n => Duration::from_millis(250 << (n - 2).min(5)).min(Duration::from_secs(10)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_at_once_and_the_wait_is_bounded() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.after(Duration::ZERO), Duration::ZERO);
        let waits: Vec<_> = (0..10).map(|_| backoff.after(Duration::ZERO)).collect();
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]) && waits[9] <= Duration::from_secs(10));
        assert_eq!(backoff.after(Duration::from_secs(61)), Duration::ZERO);
    }

    #[test]
    fn knows_itself_and_no_other() {
        let me = Process::find(std::process::id()).unwrap();
        assert!(me.is_alive());
        assert!(!Process { start_time: me.start_time + 1, ..me }.is_alive());
    }
}
