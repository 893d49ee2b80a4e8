//! Who may say what: revisions that are durable, and answers that never will be.

use crate::journal::LimitReached;
use emberyard_cluster::Revision;
use std::io;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What an answer shows: a revision of one life of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    pub(super) revision: Revision,
    pub(super) epoch: usize,
}

/// Why a request is not served; the HTTP status and the text of its `Status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 507 when the disk is full, 500 for other faults, 503 at the end.
    pub status: u16,
    /// Kubernetes' one-word reason.
    pub reason: &'static str,
    /// What happened and what to do.
    pub message: String,
}

impl Refusal {
    /// The journal could not be written.
    pub(super) fn write(error: &io::Error) -> Self {
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let limited = error.get_ref().is_some_and(|inner| inner.is::<LimitReached>());
        let (status, reason, cure) = if limited {
            (507, "InsufficientStorage", "raise journalLimit in yard.json")
        } else if full {
            (507, "InsufficientStorage", "free space on the disk that holds the yard")
        } else {
            (500, "InternalError", "check the disk that holds the yard")
        };
        let message = format!(
            "the change was not made: the journal can't be written ({error}). Cure: {cure}; changes are accepted again within a second after that, reads go on meanwhile"
        );
        Self { status, reason, message }
    }

    /// The state machine failed; the memory is being rebuilt.
    pub(super) fn fault() -> Self {
        let message = "the API server failed inside and is restoring its state; try again".to_owned();
        Self { status: 500, reason: "InternalError", message }
    }

    /// The server is ending.
    pub(super) fn ending() -> Self {
        Self { status: 503, reason: "ServiceUnavailable", message: "the API server is shutting down".to_owned() }
    }

    /// Whether reads are refused as well.
    pub(super) fn everything(&self) -> bool {
        *self == Self::fault()
    }
}

struct Durable {
    revision: Revision,
    /// For each finished life of the memory: the revision it was durable up to, and why it ended.
    lives: Vec<(Revision, Refusal)>,
}

/// The durable revision, and those who wait for it.
pub(super) struct Settled(watch::Sender<Durable>);

impl Settled {
    pub fn new(revision: Revision) -> Self {
        Self(watch::Sender::new(Durable { revision, lives: Vec::new() }))
    }

    pub fn revision(&self) -> Revision {
        self.0.borrow().revision
    }

    /// Everything up to here is durable.
    pub fn advance(&self, revision: Revision) {
        self.0.send_modify(|durable| durable.revision = revision);
    }

    /// The memory is rebuilt at the durable revision: what came after it in this life is lost.
    pub fn end_life(&self, why: Refusal) {
        self.0.send_modify(|durable| durable.lives.push((durable.revision, why)));
    }

    pub async fn wait(&self, ticket: Ticket, ended: &CancellationToken) -> Result<(), Refusal> {
        let mut receiver = self.0.subscribe();
        let settled = receiver.wait_for(|d| d.revision >= ticket.revision || d.lives.len() > ticket.epoch);
        let durable = tokio::select! {
            biased;
            durable = settled => durable.map_err(|_| Refusal::ending())?,
            () = ended.cancelled() => return Err(Refusal::ending()),
        };
        match durable.lives.get(ticket.epoch) {
            Some((reached, why)) if *reached < ticket.revision => Err(why.clone()),
            _ => Ok(()),
        }
    }
}
