//! One resource as controllers see it: every object once, then each change, whatever happens to the watch.

use super::feeds::{FeedKey, Feeds, Listener};
use crate::http::{Gate, Live};
use bytes::Bytes;
use emberyard_cluster::{Method, Reply, Request, User};
use emberyard_control::Change;
use emberyard_object::Gvr;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Pause after a watch that could not begin.
const RETRY: Duration = Duration::from_secs(1);

/// What a feed tells.
#[derive(Clone)]
pub enum Fed {
    /// An object is there, has changed, or is gone.
    Object(Change, Arc<Value>),
    /// Everything that was there at the beginning has been told.
    Listed,
}

type Key = (String, String);

/// Feeds one resource to all who listen, until nobody does.
pub struct Feed {
    gate: Arc<Gate>,
    user: User,
    resource: Arc<Gvr>,
    joined: mpsc::UnboundedReceiver<Listener>,
    listeners: Vec<Listener>,
    known: BTreeMap<Key, Arc<Value>>,
    /// While the first objects come: those that came.
    listing: Option<BTreeSet<Key>>,
    /// Where to go on.
    revision: Option<String>,
}

/// Why a watch ended.
enum End {
    /// By time: it goes on where it was.
    Time,
    /// What comes next is forgotten: everything is told anew.
    Forgotten,
    /// Nobody listens any more.
    Deaf,
}

impl Feed {
    /// The feed of one resource for those who join; what it tells is marked with the resource.
    pub fn new(gate: Arc<Gate>, user: User, resource: Arc<Gvr>, joined: mpsc::UnboundedReceiver<Listener>) -> Self {
        let (listeners, known, listing) = (Vec::new(), BTreeMap::new(), Some(BTreeSet::new()));
        Self { gate, user, resource, joined, listeners, known, listing, revision: None }
    }

    /// Runs until nobody listens or the server ends.
    pub async fn run(mut self, feeds: Arc<Feeds>) {
        let shutdown = self.gate.shutdown.clone();
        let key: FeedKey = (self.user.name.clone(), Arc::clone(&self.resource));
        let mut complained = false;
        while !shutdown.is_cancelled() {
            while let Ok(listener) = self.joined.try_recv() {
                self.welcome(listener).await;
            }
            if self.is_deserted() && feeds.close(&key, &self.joined) {
                return;
            }
            let request = self.request();
            let refused = match self.gate.engine.call(&request) {
                Ok((Reply::Watch(start), ticket)) if self.gate.engine.settle(ticket).await.is_ok() => {
                    complained = false;
                    if let End::Forgotten = self.follow(Live::new(&self.gate, &request.path, *start)).await {
                        self.revision = None;
                    }
                    continue;
                }
                Ok((Reply::Answer(answer), _)) => {
                    if answer.status == 410 {
                        self.revision = None;
                    }
                    String::from_utf8_lossy(&answer.body).into_owned()
                }
                Ok(_) => "no watch".to_owned(),
                Err(refusal) => refusal.message,
            };
            if !complained {
                tracing::warn!(
                    user = self.user.name,
                    resource = self.resource.resource,
                    why = refused,
                    "controllers can't watch"
                );
                complained = true;
            }
            tokio::select! { () = tokio::time::sleep(RETRY) => {}, () = shutdown.cancelled() => return }
        }
    }

    fn request(&mut self) -> Request {
        let Gvr { group, version, resource } = &*self.resource;
        let path = if group.is_empty() {
            format!("/api/{version}/{resource}")
        } else {
            format!("/apis/{group}/{version}/{resource}")
        };
        let mut request = Request::new(self.user.clone(), Method::Get, path);
        let mut query = vec![("watch", "true"), ("allowWatchBookmarks", "true")];
        match &self.revision {
            Some(revision) => query.push(("resourceVersion", revision)),
            None => {
                query.extend([("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]);
                self.listing = Some(BTreeSet::new());
            }
        }
        request.query = query.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        request
    }

    async fn follow(&mut self, mut live: Live) -> End {
        loop {
            tokio::select! {
                frame = live.next() => {
                    let Some(frame) = frame else { break };
                    if let Some(end) = self.frame(frame).await {
                        return end;
                    }
                }
                Some(listener) = self.joined.recv() => self.welcome(listener).await,
            }
        }
        // An unfinished list is begun again.
        if self.listing.is_some() { End::Forgotten } else { End::Time }
    }

    /// Who joins late is told what the others know.
    async fn welcome(&mut self, listener: Listener) {
        for object in self.known.values() {
            listener.tell(&self.resource, Fed::Object(Change::Added, Arc::clone(object))).await;
        }
        if self.listing.is_none() {
            listener.tell(&self.resource, Fed::Listed).await;
        }
        self.listeners.push(listener);
    }

    fn is_deserted(&mut self) -> bool {
        self.listeners.retain(Listener::listens);
        self.listeners.is_empty()
    }

    async fn frame(&mut self, frame: Bytes) -> Option<End> {
        if self.is_deserted() {
            return Some(End::Deaf);
        }
        let Ok(mut event) = serde_json::from_slice::<Value>(&frame) else { return Some(End::Forgotten) };
        let object = event["object"].take();
        let revision = object["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        let key = (text(&object, "namespace"), text(&object, "name"));
        match event["type"].as_str() {
            Some("ADDED" | "MODIFIED") => self.present(key, object).await,
            Some("DELETED") => {
                self.known.remove(&key);
                self.tell(Fed::Object(Change::Deleted, Arc::new(object))).await;
            }
            Some("BOOKMARK") if object["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true" => {
                self.listed().await;
            }
            Some("BOOKMARK") => {}
            _ => return Some(End::Forgotten),
        }
        if self.listing.is_none() && revision.is_some() {
            self.revision = revision;
        }
        None
    }

    async fn present(&mut self, key: Key, object: Value) {
        if let Some(listing) = &mut self.listing {
            listing.insert(key.clone());
        }
        let change = match self.known.get(&key) {
            Some(before) if before["metadata"]["resourceVersion"] == object["metadata"]["resourceVersion"] => return,
            Some(_) => Change::Modified,
            None => Change::Added,
        };
        let object = Arc::new(object);
        self.known.insert(key, Arc::clone(&object));
        self.tell(Fed::Object(change, object)).await;
    }

    /// The list is whole: what was known and did not come is gone.
    async fn listed(&mut self) {
        let Some(listed) = self.listing.take() else { return };
        let gone: Vec<Key> = self.known.keys().filter(|key| !listed.contains(*key)).cloned().collect();
        for key in gone {
            if let Some(object) = self.known.remove(&key) {
                self.tell(Fed::Object(Change::Deleted, object)).await;
            }
        }
        self.tell(Fed::Listed).await;
    }

    async fn tell(&self, fed: Fed) {
        for listener in &self.listeners {
            listener.tell(&self.resource, fed.clone()).await;
        }
    }
}

fn text(object: &Value, field: &str) -> String {
    object["metadata"][field].as_str().unwrap_or_default().to_owned()
}
