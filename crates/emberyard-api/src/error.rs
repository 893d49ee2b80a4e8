//! Why the API server can't start or go on, each with its page.

use crate::journal::JournalError;
use crate::pki::PkiError;
use crate::token::TokenError;
use emberyard_cluster::RestoreError;
use emberyard_model::{Code, Explained};
use std::io;

const PKI: Code = Code {
    id: "EY-API-001",
    what: "Keys or certificates of the yard can't be read or made.",
    why: "The folder pki is not writable, or a part of the certificate authority is missing or has ended.",
    cure: "Give the folder back to its owner, or restore pki from a backup. Without one, `emberyard down --purge` and `up` make a new yard.",
};
const JOURNAL: Code = Code {
    id: "EY-API-002",
    what: "The journal can't be opened.",
    why: "A file of the folder journal is missing, unreadable, or no longer what was written (a failing disk, a foreign hand, a newer emberyard). Starting without it would lose acknowledged changes.",
    cure: "If it is damaged, `emberyard repair` keeps everything that still can be read and says what cannot. If a newer emberyard wrote it, use that one.",
};
const LISTENER: Code = Code {
    id: "EY-API-003",
    what: "The API server can't listen.",
    why: "The socket it was given is not usable.",
    cure: "Run `emberyard up` again: it opens the sockets anew.",
};
const COMMIT: Code = Code {
    id: "EY-API-004",
    what: "The API server lost its hold on the journal.",
    why: "After a failed write the durable state could not be read back.",
    cure: "Check the disk that holds the yard, then run `emberyard up` again.",
};

/// All codes of this crate.
pub const CODES: &[Code] = &[PKI, JOURNAL, LISTENER, COMMIT];

/// Why the API server can't start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Keys or certificates.
    #[error("keys and certificates: {0}")]
    Pki(#[from] PkiError),
    /// The serving certificate or the token key can't be used.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The service-account key can't be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The journal can't be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal's records make no state.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The state the server starts with could not be written.
    #[error("the journal can't be written: {0}")]
    FirstWrite(io::Error),
    /// A listener can't be used.
    #[error("listener: {0}")]
    Listener(io::Error),
    /// The committer ended: what it said.
    #[error("the journal is lost: {0}")]
    Committer(String),
}

impl Explained for ServeError {
    fn code(&self) -> Code {
        match self {
            Self::Pki(_) | Self::Tls(_) | Self::Token(_) => PKI,
            Self::Journal(_) | Self::Restore(_) | Self::FirstWrite(_) => JOURNAL,
            Self::Listener(_) => LISTENER,
            Self::Committer(_) => COMMIT,
        }
    }
}
