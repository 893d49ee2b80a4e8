//! The server itself.

use crate::{
    Answer, Config, Entropy, Reply, Request, Revision, TokenToVerify, User, WatchCursor, WatchPoll,
    journal::{JournalError, Record},
};
use emberyard_model::Timestamp;
use serde_json::Value;

/// Why a state could not be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The snapshot is not whole.
    #[error("the snapshot cannot be read")]
    Snapshot(#[source] JournalError),
    /// A record is not whole.
    #[error("the journal cannot be read")]
    Journal(#[source] JournalError),
}

/// Why a token's claims stand for nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid: {0}")]
pub struct ClaimsError(pub String);

/// The API server: store, catalog of kinds, request path. One per cluster; whoever owns it serializes the calls.
#[derive(Debug)]
pub struct ApiServer {
    config: Config,
}

impl ApiServer {
    /// An empty server. `bootstrap` is still to be called.
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// The server as it was: the newest snapshot, then the journal's records (those the snapshot holds are skipped).
    pub fn restore(
        config: Config,
        snapshot: Option<&[u8]>,
        records: impl Iterator<Item = Result<Record, JournalError>>,
    ) -> Result<Self, RestoreError> {
        let _ = (config, snapshot, records);
        todo!()
    }

    /// Makes what every cluster has (namespaces, roles, priority classes, services, the storage class), where it is
    /// missing. To be called at each start; the records are to be made durable like those of a request.
    pub fn bootstrap(&mut self, now: Timestamp, entropy: &mut dyn Entropy) -> Vec<Record> {
        let _ = (now, entropy, &self.config);
        todo!()
    }

    /// Answers one request.
    pub fn handle(&mut self, request: &Request, now: Timestamp, entropy: &mut dyn Entropy) -> Reply {
        let _ = (request, now, entropy);
        todo!()
    }

    /// What a watch gets next, from revisions up to `upto` (the newest durable one).
    pub fn poll_watch(&self, watch: &mut WatchCursor, upto: Revision, now: Timestamp) -> WatchPoll {
        let _ = (watch, upto, now);
        todo!()
    }

    /// The newest revision.
    pub fn revision(&self) -> Revision {
        todo!()
    }

    /// The whole state with its watch history, to be written to a file before older journal files are dropped.
    pub fn snapshot(&self) -> Vec<u8> {
        todo!()
    }

    /// Drops watch history that nobody can need: `oldest_connected` is the smallest `WatchCursor::sent` of all
    /// connected watches (the newest revision if there is none). To be called about every ten seconds.
    pub fn compact(&mut self, oldest_connected: Revision, now: Timestamp) {
        let _ = (oldest_connected, now);
        todo!()
    }

    /// The user that a service-account token's claims stand for; the signature is already checked. Expiry, issuer,
    /// audience and the bound objects are checked here.
    pub fn authenticate_claims(&self, claims: &Value, now: Timestamp) -> Result<User, ClaimsError> {
        let _ = (claims, now);
        todo!()
    }

    /// The answer to a TokenReview; `claims` are the token's if its signature is right.
    pub fn review_token(&self, verify: TokenToVerify, claims: Option<&Value>, now: Timestamp) -> Answer {
        let _ = (verify, claims, now);
        todo!()
    }
}
