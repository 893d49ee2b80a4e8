//! What can go wrong, each with a stable code.

use emberyard_model::{Code, Explained};
use std::io;
use std::path::PathBuf;

/// A failure of the sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A step of the caller's own process failed: a file, a socket, a process that could not be started.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the path or name.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A sandbox process (helper, supervisor, container set-up) answered with a refusal.
    #[error("{step}: {message}")]
    Refused {
        /// The step that failed, for example `mount overlay`.
        step: String,
        /// What the system said, with the name of what it was about.
        message: String,
        /// The error number, 0 when there is none.
        errno: i32,
    },
    /// The process is no longer there, or its id now belongs to another one.
    #[error("{0} is not running")]
    Gone(String),
    /// The other side speaks a version of the control protocol that this program does not know.
    #[error("the pod supervisor in {dir} speaks protocol {theirs}, this program {ours}")]
    Version {
        /// The pod's folder.
        dir: PathBuf,
        /// Version of the supervisor.
        theirs: u32,
        /// Version of this program.
        ours: u32,
    },
    /// A file of a newer program.
    #[error("{path} was written by a newer emberyard (format {theirs}, this program knows {ours})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        theirs: u64,
        /// The newest that this program reads.
        ours: u32,
    },
    /// The other side sent something that cannot be understood.
    #[error("unexpected answer of a sandbox process: {0}")]
    Protocol(String),
    /// A file of ours that cannot be read.
    #[error("{path} is damaged: {message}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

/// Result with [`SandboxError`].
pub type Result<T> = std::result::Result<T, SandboxError>;

const IO: Code = Code {
    id: "EY-BOX-001",
    what: "A file, socket or process of the sandbox could not be used.",
    why: "The folder is not writable, the disk is full, or a limit of the machine (open files, processes) is reached.",
    cure: "Read the system's answer in the message; `emberyard doctor` checks folder, disk and limits.",
};
const REFUSED: Code = Code {
    id: "EY-BOX-002",
    what: "The system refused a step of building a sandbox.",
    why: "The kernel or a security policy of this machine does not allow that namespace, mount or limit.",
    cure: "Run `emberyard doctor`: it tries each part and names the setting that is missing.",
};
const GONE: Code = Code {
    id: "EY-BOX-003",
    what: "A process of the yard is gone.",
    why: "It was killed from outside, or the machine was restarted.",
    cure: "Run `emberyard up` again: it starts what is missing and keeps what still runs.",
};
const VERSION: Code = Code {
    id: "EY-BOX-004",
    what: "A pod was started by another version of the program.",
    why: "The program was replaced by one that does not know the protocol or the files of the other.",
    cure: "Use the newer of the two programs; or delete the pod, or run `emberyard down` and `emberyard up`.",
};
const PROTOCOL: Code = Code {
    id: "EY-BOX-005",
    what: "A process of the sandbox answered nonsense.",
    why: "It was killed in the middle of an answer, or another program listens in the pod's folder.",
    cure: "Run `emberyard down` and `emberyard up`; if it happens again, report it with the log of the agent.",
};
const DAMAGED: Code = Code {
    id: "EY-BOX-006",
    what: "A state file of a holder or pod cannot be read.",
    why: "The disk was full or the file was changed by hand.",
    cure: "Run `emberyard down`, remove the file named in the message, and run `emberyard up`.",
};

/// Every code of this crate.
pub const CODES: &[Code] = &[IO, REFUSED, GONE, VERSION, PROTOCOL, DAMAGED];

impl Explained for SandboxError {
    fn code(&self) -> Code {
        match self {
            Self::Io { .. } => IO,
            Self::Refused { .. } => REFUSED,
            Self::Gone(_) => GONE,
            Self::Version { .. } | Self::Newer { .. } => VERSION,
            Self::Protocol(_) => PROTOCOL,
            Self::Damaged { .. } => DAMAGED,
        }
    }
}

/// Adds what was tried to a system error.
pub(crate) trait Context<T> {
    /// Turns the error into [`SandboxError::Io`] with `what`.
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<io::Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| SandboxError::Io { what: what(), source: error.into() })
    }
}
