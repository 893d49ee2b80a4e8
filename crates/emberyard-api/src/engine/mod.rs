//! The state machine behind a lock, and the rule that nothing is said before it is durable.
//!
//! A request is applied in memory and yields records and a revision. The committer appends the records of all requests
//! since its last turn as one batch, syncs once, and publishes the durable revision; then their answers, and those of
//! reads that saw their effect, may leave. When a batch can't be written, the memory is rebuilt from what is durable:
//! what nobody was told never happened.

mod commit;
mod hub;
mod settle;

pub use commit::Committer;
pub use hub::WatchSeat;
pub use settle::{Refusal, Ticket};

use crate::config::{Clock, EntropySource};
use crate::error::ServeError;
use crate::journal::{Disk, Journal, Recovered};
use emberyard_cluster::{Answer, ApiServer, ClaimsError, Config, Method, Record, Reply, Request, Revision};
use emberyard_cluster::{TokenToVerify, User, WatchCursor, WatchPoll};
use emberyard_model::Timestamp;
use hub::Hub;
use serde_json::Value;
use settle::Settled;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::Thread;
use tokio_util::sync::CancellationToken;

/// The API server's state and its way to the disk. Shared by all connections and controllers.
pub struct Engine {
    state: RwLock<State>,
    config: Config,
    settled: Settled,
    hub: Hub,
    clock: Clock,
    committer: OnceLock<Thread>,
    /// Cancelled when the committer has ended, with the reason if it was not asked to.
    ended: CancellationToken,
    failure: OnceLock<String>,
}

struct State {
    server: ApiServer,
    entropy: EntropySource,
    /// Applied, not yet handed to the disk.
    pending: Vec<Record>,
    /// Grows each time the memory is rebuilt.
    epoch: usize,
    /// Why writes are refused at the moment.
    refusing: Option<Refusal>,
}

impl Engine {
    /// Opens the journal, restores the state, makes what every cluster has, and starts the committer.
    pub fn start(
        disk: Arc<dyn Disk>,
        config: Config,
        clock: Clock,
        mut entropy: EntropySource,
    ) -> Result<(Arc<Self>, Committer), ServeError> {
        let (mut journal, recovered) = Journal::open(disk)?;
        let mut server = rebuild(&config, recovered)?;
        let made = server.bootstrap(clock(), &mut *entropy);
        journal.append(&made).map_err(ServeError::FirstWrite)?;
        let revision = journal.durable();
        let state = State { server, entropy, pending: Vec::new(), epoch: 0, refusing: None };
        let engine = Arc::new(Self {
            state: RwLock::new(state),
            config,
            settled: Settled::new(revision),
            hub: Hub::default(),
            clock,
            committer: OnceLock::new(),
            ended: CancellationToken::new(),
            failure: OnceLock::new(),
        });
        let committer = commit::start(Arc::clone(&engine), journal)?;
        Ok((engine, committer))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Applies one request. The ticket says when what the reply shows is durable: see [`Self::settle`].
    pub fn call(&self, request: &Request) -> Result<(Reply, Ticket), Refusal> {
        let now = self.now();
        let mut state = self.write();
        if let Some(refusal) = &state.refusing
            && (refusal.everything() || changes(request))
        {
            return Err(refusal.clone());
        }
        let State { server, entropy, .. } = &mut *state;
        // A fault in the state machine must not take the cluster down: the memory is rebuilt, the asker is told.
        let Ok(mut reply) = catch_unwind(AssertUnwindSafe(|| server.handle(request, now, &mut **entropy))) else {
            tracing::error!(method = ?request.method, path = request.path, "the request made the API server fail");
            state.refusing = Some(Refusal::fault());
            drop(state);
            self.wake_committer();
            return Err(Refusal::fault());
        };
        let mut wrote = false;
        if let Reply::Answer(answer) = &mut reply {
            wrote = !answer.records.is_empty();
            state.pending.append(&mut answer.records);
        }
        let revision = state.server.revision();
        let ticket = Ticket { revision, epoch: state.epoch };
        drop(state);
        if wrote {
            self.wake_committer();
        }
        Ok((reply, ticket))
    }

    /// Waits until what a ticket stands for is durable; an error when it never will be.
    pub async fn settle(&self, ticket: Ticket) -> Result<(), Refusal> {
        self.settled.wait(ticket, &self.ended).await
    }

    /// What a watch gets next from what is durable.
    pub fn poll(&self, cursor: &mut WatchCursor, now: Timestamp) -> WatchPoll {
        let upto = self.settled.revision();
        self.read().server.poll_watch(cursor, upto, now)
    }

    /// A seat for a watch of a resource (`pods`, `deployments`): wakes it, and keeps the history it needs.
    pub fn seat(&self, resource: &str, cursor: &WatchCursor) -> WatchSeat {
        self.hub.seat(resource, cursor.sent())
    }

    /// The user of a token's claims, whose signature is already checked.
    pub fn user(&self, claims: &Value) -> Result<User, ClaimsError> {
        self.read().server.authenticate_claims(claims, self.now())
    }

    /// The answer to a TokenReview.
    pub fn review(&self, verify: TokenToVerify, claims: Option<&Value>) -> Answer {
        self.read().server.review_token(verify, claims, self.now())
    }

    /// A random number.
    pub fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.write().entropy.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Drops watch history that nobody needs; to be called each ten seconds or so.
    pub fn compact(&self) {
        let now = self.now();
        let mut state = self.write();
        let oldest = self.hub.oldest().unwrap_or(state.server.revision());
        state.server.compact(oldest, now);
    }

    /// Resolves when the committer has ended without being asked to.
    pub async fn failed(&self) -> String {
        self.ended.cancelled().await;
        match self.failure.get() {
            Some(reason) => reason.clone(),
            None => std::future::pending().await,
        }
    }

    /// The newest durable revision.
    pub fn durable(&self) -> Revision {
        self.settled.revision()
    }

    fn wake_committer(&self) {
        if let Some(thread) = self.committer.get() {
            thread.unpark();
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        // Faults inside the lock are caught where they happen, so a poisoned lock still holds a whole state.
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rebuild(config: &Config, recovered: Recovered) -> Result<ApiServer, ServeError> {
    let records = recovered.records.into_iter().map(Ok);
    Ok(ApiServer::restore(config.clone(), recovered.snapshot.as_deref(), records)?)
}

/// Whether a request may change the state. Reviews and tokens are POSTs that don't.
fn changes(request: &Request) -> bool {
    let review = ["/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/"];
    request.method != Method::Get
        && !review.iter().any(|prefix| request.path.starts_with(prefix))
        && !request.path.ends_with("/token")
}

#[cfg(test)]
pub(crate) mod tests;
