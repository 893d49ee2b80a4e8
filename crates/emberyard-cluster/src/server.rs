//! The server itself.

use crate::authz::Authorizer;
use crate::call::{Call, plain};
use crate::journal::{JournalError, Record};
use crate::store::{Bounds, Departures, Object, Store};
use crate::{
    Answer, ClaimsError, Config, Entropy, Reply, Request, RestoreError, Revision, TokenToVerify, User, WatchCursor,
    WatchPoll, bootstrap, crd, tokens, watch,
};
use emberyard_model::Timestamp;
use emberyard_object::Catalog;
use serde_json::Value;

/// What a request may touch.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) authorizer: Authorizer,
    /// When events were last looked through for old ones.
    pub(crate) swept: Timestamp,
}

impl Parts {
    /// Follows up on a change: the definition of a custom resource changes what is served.
    pub(crate) fn noticed(&mut self, object: &Object, removed: bool) {
        if *object.key.resource == *crd::RESOURCE {
            self.catalog = crd::changed(&self.catalog, object, removed);
        }
    }
}

/// The API server: store, catalog of kinds, request path. One per cluster; whoever owns it serializes the calls.
#[derive(Debug)]
pub struct ApiServer {
    parts: Parts,
    departures: Departures,
}

impl ApiServer {
    /// An empty server. `bootstrap` is still to be called.
    pub fn new(config: Config) -> Self {
        let store = Store::new(bounds(&config));
        Self::with_store(config, store)
    }

    /// The server as it was: the newest snapshot, then the journal's records (those the snapshot holds are skipped).
    pub fn restore(
        config: Config,
        snapshot: Option<&[u8]>,
        records: impl Iterator<Item = Result<Record, JournalError>>,
    ) -> Result<Self, RestoreError> {
        let bounds = bounds(&config);
        let mut store = match snapshot {
            Some(bytes) => Store::from_snapshot(bytes, bounds).map_err(RestoreError::Snapshot)?,
            None => Store::new(bounds),
        };
        for record in records {
            let record = record.map_err(RestoreError::Journal)?;
            if record.revision.0 > store.revision().0 + 1 {
                return Err(RestoreError::Gap { after: store.revision(), found: record.revision });
            }
            if !store.replay(&record) {
                return Err(RestoreError::Object(record.revision));
            }
        }
        Ok(Self::with_store(config, store))
    }

    /// The server that the records of a damaged journal and snapshot still make, whatever is missing between them. Its
    /// revision is to lie above all that was ever given out, so that no client takes a new change for an old one.
    pub fn salvage(config: Config, records: Vec<Record>, revision: Revision) -> Result<Self, RestoreError> {
        let store = Store::from_salvage(records, revision, bounds(&config)).map_err(RestoreError::Object)?;
        Ok(Self::with_store(config, store))
    }

    /// What requests work on, for tests of single parts.
    #[cfg(test)]
    pub(crate) fn parts(self) -> Parts {
        self.parts
    }

    fn with_store(config: Config, store: Store) -> Self {
        let catalog = crd::catalog_of(&store);
        let parts = Parts { config, store, catalog, authorizer: Authorizer::default(), swept: Timestamp(0) };
        Self { parts, departures: Departures::default() }
    }

    /// Makes what every cluster has (namespaces, roles, priority classes, services, the storage class), where it is
    /// missing. To be called at each start; the records are to be made durable like those of a request.
    pub fn bootstrap(&mut self, now: Timestamp, entropy: &mut dyn Entropy) -> Vec<Record> {
        bootstrap::run(&mut self.parts, now, entropy)
    }

    /// Answers one request.
    pub fn handle(&mut self, request: &Request, now: Timestamp, entropy: &mut dyn Entropy) -> Reply {
        let mut call = Call::new(&mut self.parts, request, now, entropy);
        let outcome = call.run();
        call.reply(outcome)
    }

    /// What a watch gets next, from revisions up to `upto` (the newest durable one).
    pub fn poll_watch(&self, watch: &mut WatchCursor, upto: Revision, now: Timestamp) -> WatchPoll {
        watch::poll(&self.parts.store, self.parts.config.history_bytes, watch, upto, now)
    }

    /// The newest revision.
    pub fn revision(&self) -> Revision {
        self.parts.store.revision()
    }

    /// The whole state with its watch history, to be written to a file before older journal files are dropped.
    pub fn snapshot(&self) -> Vec<u8> {
        self.parts.store.snapshot()
    }

    /// Drops watch history that nobody can need: `oldest_connected` is the smallest `WatchCursor::sent` of all
    /// connected watches (the newest revision if there is none). To be called about every ten seconds.
    pub fn compact(&mut self, oldest_connected: Revision, now: Timestamp) {
        let limit = self.departures.limit(oldest_connected, now);
        self.parts.store.compact(limit);
    }

    /// The user that a service-account token's claims stand for; the signature is already checked. Expiry, issuer,
    /// audience and the bound objects are checked here.
    pub fn authenticate_claims(&self, claims: &Value, now: Timestamp) -> Result<User, ClaimsError> {
        tokens::authenticate(&self.parts, claims, &[&self.parts.config.token_issuer], now)
    }

    /// The answer to a TokenReview; `claims` are the token's if its signature is right.
    pub fn review_token(&self, verify: TokenToVerify, claims: Option<&Value>, now: Timestamp) -> Answer {
        plain(201, &tokens::review(&self.parts, verify, claims, now), self.revision())
    }
}

fn bounds(config: &Config) -> Bounds {
    Bounds { soft: config.history_bytes, hard: config.history_hard_bytes.max(config.history_bytes) }
}
