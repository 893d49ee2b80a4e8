//! The keeper's own processes: control plane, operator, agents. A child that ends is started again, ever later
//! while it keeps ending; a child of an earlier keeper is adopted.

use crate::yard::versions::{PROGRAM, RECORDS};
use emberyard_sandbox::ProcessId;
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

/// Completes when the process has ended. A thread waits on its descriptor: the runtime's own watch of a foreign
/// descriptor is an unsafe call, and a runtime would wait for its blocking tasks when the keeper ends.
pub async fn ended(process: &ProcessId) {
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let Ok(pidfd) = process.pidfd() else { return };
    let waiting = std::thread::Builder::new().name("wait".to_owned()).stack_size(64 * 1024).spawn(move || {
        let mut watched = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
        while matches!(rustix::event::poll(&mut watched, None), Err(rustix::io::Errno::INTR)) {}
        drop(sender);
    });
    match waiting {
        Ok(_) => {
            let _ = receiver.await;
        }
        Err(_) => {
            while process.is_alive() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Asks it to end, and after `patience` makes it.
pub async fn stop(process: &ProcessId, patience: Duration) {
    // A signal to a process that is gone does nothing, which is what we want.
    let _ = process.signal(TERMINATE);
    if tokio::time::timeout(patience, ended(process)).await.is_err() {
        let _ = process.signal(KILL);
        let _ = tokio::time::timeout(Duration::from_secs(5), ended(process)).await;
    }
}

const TERMINATE: i32 = rustix::process::Signal::TERM.as_raw();
const KILL: i32 = rustix::process::Signal::KILL.as_raw();

/// A child as it is recorded. The first version had the process alone.
#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(default)]
    format: u32,
    program: Option<String>,
    /// Where the record lies: in a copy of a yard's folder it names a process of the original.
    folder: Option<PathBuf>,
    #[serde(flatten)]
    process: ProcessId,
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
    pub fn adopt(&self, role: &Role) -> Option<ProcessId> {
        let record = self.read(role)?;
        let own = record.folder.is_none_or(|folder| folder == self.0);
        (own && record.process.is_alive()).then_some(record.process)
    }

    /// Version of the program that the recorded process plays; `None` if its record does not tell.
    pub fn program(&self, role: &Role) -> Option<String> {
        self.read(role)?.program
    }

    fn read(&self, role: &Role) -> Option<Record> {
        serde_json::from_slice(&std::fs::read(self.path(role)).ok()?).ok()
    }

    /// Remembers.
    pub fn write(&self, role: &Role, process: &ProcessId) -> std::io::Result<()> {
        let record = Record {
            format: RECORDS,
            program: Some(PROGRAM.to_owned()),
            folder: Some(self.0.clone()),
            process: process.clone(),
        };
        crate::yard::folder::write_private(&self.path(role), &serde_json::to_vec(&record)?)
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
    fn records_are_read_in_their_own_folder_and_without_what_the_first_version_lacked() {
        let (folder, copied) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let own = ProcessId::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let (records, copy) = (Records::new(folder.path()), Records::new(copied.path()));
        records.write(&Role::Api, &own).unwrap();
        assert_eq!(records.adopt(&Role::Api), Some(own.clone()));
        assert_eq!(records.program(&Role::Api).as_deref(), Some(PROGRAM));
        std::fs::copy(records.path(&Role::Api), copy.path(&Role::Api)).unwrap();
        assert_eq!(copy.adopt(&Role::Api), None);
        std::fs::write(records.path(&Role::Api), serde_json::to_vec(&own).unwrap()).unwrap();
        assert_eq!((records.adopt(&Role::Api), records.program(&Role::Api)), (Some(own), None));
    }

    #[test]
    fn the_first_restart_is_at_once_and_the_wait_is_bounded() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.after(Duration::ZERO), Duration::ZERO);
        let waits: Vec<_> = (0..10).map(|_| backoff.after(Duration::ZERO)).collect();
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]) && waits[9] <= Duration::from_secs(10));
        assert_eq!(backoff.after(Duration::from_secs(61)), Duration::ZERO);
    }
}
