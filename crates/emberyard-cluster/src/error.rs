//! What the server's owner can run into.

use crate::Revision;
use crate::journal::JournalError;
use emberyard_model::{Code, Explained};

const DAMAGED: Code = Code {
    id: "EY-CLU-001",
    what: "The saved state of the yard is damaged.",
    why: "bytes that were written and acknowledged have changed or vanished: a failing disk, or a file edited by hand",
    cure: "`emberyard repair` keeps everything that still can be read and says what cannot; or restore the yard's folder from a copy",
};

const NEWER: Code = Code {
    id: "EY-CLU-002",
    what: "The saved state was written by a newer version.",
    why: "this program reads its own format and the one before it",
    cure: "use the newer version of emberyard that wrote it",
};

/// All codes of this crate.
pub const CODES: &[Code] = &[DAMAGED, NEWER];

/// Why a state could not be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The snapshot is not whole.
    #[error("the snapshot cannot be read: {0}")]
    Snapshot(#[source] JournalError),
    /// A record is not whole.
    #[error("the journal cannot be read: {0}")]
    Journal(#[source] JournalError),
    /// Records between two revisions are missing.
    #[error("the journal lacks the changes between revisions {after} and {found}")]
    Gap {
        /// Last revision that was there.
        after: Revision,
        /// The next one found.
        found: Revision,
    },
    /// A record's object is no JSON.
    #[error("the object of revision {0} cannot be read")]
    Object(Revision),
}

impl Explained for RestoreError {
    fn code(&self) -> Code {
        match self {
            Self::Snapshot(JournalError::Version { .. }) | Self::Journal(JournalError::Version { .. }) => NEWER,
            _ => DAMAGED,
        }
    }
}

/// Why a token's claims stand for nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid: {0}")]
pub struct ClaimsError(pub String);
