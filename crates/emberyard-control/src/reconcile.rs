//! The engine of all controllers but the scheduler: events make keys, keys are compared with what they should be,
//! and what lacks becomes requests. One key has at most one batch of requests on its way.

use crate::controller::{Change, Controller, Input, Output, Rng};
use crate::index::{Id, Index};
use crate::trim::without_managed_fields;
use emberyard_model::Timestamp;
use emberyard_object::view::Meta;
use emberyard_object::{ApiRequest, Gvr};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A watch event as a reconciler sees it; the index already shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub id: &'a Id,
    pub change: Change,
    /// The object now, or as it was last.
    pub object: &'a Value,
    /// The object before, if it was known.
    pub before: Option<&'a Value>,
}

impl Seen<'_> {
    pub(crate) fn is(&self, resource: &Gvr) -> bool {
        &self.id.resource == resource
    }
}

/// What a key needs.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub requests: Vec<ApiRequest>,
    /// When to look again although nothing happened.
    pub again: Option<Timestamp>,
}

impl Work {
    pub(crate) fn one(request: ApiRequest) -> Self {
        Self { requests: vec![request], again: None }
    }

    pub(crate) fn later(at: Timestamp) -> Self {
        Self { requests: Vec::new(), again: Some(at) }
    }
}

/// Lets a key be looked at again at `at`, if no sooner time is set.
pub(crate) fn sooner(again: &mut Option<Timestamp>, at: Timestamp) {
    *again = Some(again.map_or(at, |known| known.min(at)));
}

/// The part of a controller that is its own.
pub(crate) trait Reconciler: Send {
    /// What is looked at as a whole: an object, a namespace, a node.
    type Key: Ord + Clone + Send;

    /// See [`Controller::name`].
    fn name(&self) -> &'static str;

    /// See [`Controller::watches`].
    fn watches(&self) -> Vec<Gvr>;

    /// What of an object is worth memory.
    fn keep(&self, _resource: &Gvr, object: &Value) -> Value {
        without_managed_fields(object)
    }

    /// Which keys an event concerns.
    fn affected(&mut self, seen: Seen<'_>, index: &Index, now: Timestamp) -> Vec<Self::Key>;

    /// What the key lacks. Asked again after every event that concerns it, so it may do one step at a time.
    fn reconcile(&mut self, key: &Self::Key, index: &Index, now: Timestamp, rng: Rng<'_>) -> Work;

    /// An answer to a request of this key. `true`: it says something new, look at the key again.
    fn answered(&mut self, _key: &Self::Key, _request: &ApiRequest, _status: u16, _body: &Value) -> bool {
        false
    }

    /// Called with every step before anything else: a wake-up was asked for at `due`.
    fn woke(&mut self, _due: Timestamp, _now: Timestamp) {}

    /// Whether the watches have changed since this was last asked.
    fn rewatch(&mut self) -> bool {
        false
    }
}

/// A reconciler made a controller.
pub(crate) struct Loop<R: Reconciler> {
    own: R,
    index: Index,
    synced: bool,
    queue: BTreeSet<R::Key>,
    running: BTreeMap<R::Key, usize>,
    requests: BTreeMap<u64, (R::Key, ApiRequest)>,
    next_token: u64,
    agenda: BTreeMap<R::Key, Timestamp>,
    failures: BTreeMap<R::Key, u32>,
    last_wake: Option<Timestamp>,
}

impl<R: Reconciler> Loop<R> {
    pub(crate) fn new(own: R) -> Self {
        Self {
            own,
            index: Index::default(),
            synced: false,
            queue: BTreeSet::new(),
            running: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_token: 0,
            agenda: BTreeMap::new(),
            failures: BTreeMap::new(),
            last_wake: None,
        }
    }

    fn object(&mut self, resource: &Gvr, change: Change, object: &Value, now: Timestamp) {
        let id = Id::of(resource, object);
        let before = if change == Change::Deleted {
            // A late word of an earlier object does not remove its successor of the same name.
            match self.index.get(&id) {
                Some(known) if Meta(known).uid() != Meta(object).uid() => return,
                _ => self.index.remove(&id),
            }
        } else {
            match self.index.put(&id, self.own.keep(resource, object)) {
                Ok(before) => before,
                Err(_) => return,
            }
        };
        let seen = Seen { id: &id, change, object, before: before.as_ref() };
        self.queue.extend(self.own.affected(seen, &self.index, now));
    }

    fn answered(&mut self, token: u64, status: u16, body: &Value, now: Timestamp) {
        let Some((key, request)) = self.requests.remove(&token) else { return };
        if let Some(left) = self.running.get_mut(&key) {
            *left -= 1;
            if *left == 0 {
                self.running.remove(&key);
            }
        }
        if self.own.answered(&key, &request, status, body) {
            self.queue.insert(key.clone());
        }
        match status {
            200..=299 => {
                self.failures.remove(&key);
                // What was written is known before the watch shows it.
                let known = self.index.by_uid(Meta(body).uid()).map(|(id, _)| id.resource.clone());
                if let Some(resource) = known.filter(|_| request.method != emberyard_object::Method::Delete) {
                    self.object(&resource, Change::Modified, body, now);
                }
            }
            // Gone, or there already: the watch tells what is to be done then, if anything.
            404 => {}
            409 if request.method == emberyard_object::Method::Post => {}
            _ => {
                let failures = self.failures.entry(key.clone()).or_default();
                *failures = failures.saturating_add(1);
                self.agenda.insert(key, now.plus(pause(status, *failures)));
            }
        }
    }

    fn run(&mut self, now: Timestamp, rng: Rng<'_>) -> Output {
        let mut output = Output { rewatch: self.own.rewatch(), ..Output::default() };
        if !self.synced {
            return output;
        }
        let due: Vec<R::Key> = self.agenda.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        for key in due {
            self.agenda.remove(&key);
            self.queue.insert(key);
        }
        let ready: Vec<R::Key> = self.queue.iter().filter(|key| !self.running.contains_key(key)).cloned().collect();
        for key in ready {
            self.queue.remove(&key);
            let work = self.own.reconcile(&key, &self.index, now, rng);
            if let Some(at) = work.again {
                self.agenda.insert(key.clone(), at);
            }
            if !work.requests.is_empty() {
                self.running.insert(key.clone(), work.requests.len());
            }
            for request in work.requests {
                self.next_token += 1;
                self.requests.insert(self.next_token, (key.clone(), request.clone()));
                output.requests.push((self.next_token, request));
            }
        }
        output.wake = self.agenda.values().min().copied();
        output
    }
}

impl<R: Reconciler> Controller for Loop<R> {
    fn name(&self) -> &'static str {
        self.own.name()
    }

    fn user(&self) -> String {
        format!("system:serviceaccount:kube-system:{}", self.own.name())
    }

    fn watcher(&self) -> String {
        "system:kube-controller-manager".to_owned()
    }

    fn watches(&self) -> Vec<Gvr> {
        self.own.watches()
    }

    fn step(&mut self, input: Input<'_>, now: Timestamp, rng: Rng<'_>) -> Output {
        if let Some(due) = self.last_wake {
            self.own.woke(due, now);
        }
        match input {
            Input::Object { resource, change, object } => self.object(resource, change, object, now),
            Input::Synced => self.synced = true,
            Input::Answered { token, status, body } => self.answered(token, status, body, now),
            Input::Tick => {}
        }
        let output = self.run(now, rng);
        self.last_wake = output.wake;
        output
    }
}

/// How long to leave a key alone after its `failures`-th failure in a row. Conflicts and overload pass by
/// themselves; a refusal (400, 403, 422) does so at best when somebody changes something.
fn pause(status: u16, failures: u32) -> Duration {
    let first = if matches!(status, 400..=408 | 410..=428) { 2_000 } else { 50 };
    Duration::from_millis((first << failures.saturating_sub(1).min(12)).min(60_000))
}
