//! The objects of one kind and their recent history.

use super::{Event, Object};
use crate::journal::{Change, Revision};
use emberyard_model::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// Namespace (empty for the cluster's) and name: the order of lists.
pub(crate) type Place = (Arc<str>, Arc<str>);

/// All objects of one kind.
#[derive(Debug, Default)]
pub(crate) struct Collection {
    objects: BTreeMap<Place, Arc<Object>>,
    history: VecDeque<Arc<Event>>,
    /// Weight of `history`.
    held: usize,
    /// Weight of everything that ever was in `history`.
    passed: u64,
    /// Newest revision that has left the history: what is older than this cannot be resumed from.
    floor: Revision,
    changed: Revision,
}

impl Collection {
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.objects.get(&(Arc::from(namespace), Arc::from(name)))
    }

    pub(crate) fn list<'a>(&'a self, namespace: Option<&'a str>) -> impl Iterator<Item = &'a Arc<Object>> {
        let from = (Arc::from(namespace.unwrap_or("")), Arc::from(""));
        self.objects
            .range((Bound::Included(from), Bound::Unbounded))
            .map(|(_, object)| object)
            .take_while(move |object| namespace.is_none_or(|namespace| &*object.key.namespace == namespace))
    }

    pub(crate) fn changed(&self) -> Revision {
        self.changed
    }

    pub(crate) fn floor(&self) -> Revision {
        self.floor
    }

    pub(crate) fn passed(&self) -> u64 {
        self.passed
    }

    pub(crate) fn history(&self) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        self.history.iter()
    }

    /// Events after `revision`, in order.
    pub(crate) fn since(&self, revision: Revision) -> impl Iterator<Item = &Arc<Event>> {
        let first = self.history.partition_point(|event| event.revision() <= revision);
        self.history.range(first..)
    }

    /// The state as it was at `revision`, by undoing what happened since; `None` if that is forgotten.
    pub(crate) fn at(&self, revision: Revision) -> Option<BTreeMap<Place, Arc<Object>>> {
        if revision < self.floor {
            return None;
        }
        let mut objects = self.objects.clone();
        for event in self.history.iter().rev().take_while(|event| event.revision() > revision) {
            let place = (Arc::clone(&event.object.key.namespace), Arc::clone(&event.object.key.name));
            match &event.before {
                Some(before) => objects.insert(place, Arc::clone(before)),
                None => objects.remove(&place),
            };
        }
        Some(objects)
    }

    /// Sets the state from which a replay begins: an object that is not news to anybody.
    pub(super) fn seed(&mut self, object: Arc<Object>) {
        let place = (Arc::clone(&object.key.namespace), Arc::clone(&object.key.name));
        self.changed = self.changed.max(object.revision);
        self.objects.insert(place, object);
    }

    pub(super) fn set_floor(&mut self, floor: Revision) {
        self.floor = floor;
        self.changed = self.changed.max(floor);
    }

    pub(super) fn commit(&mut self, object: Arc<Object>, change: Change, time: Timestamp, hard: usize) {
        self.changed = object.revision;
        let place = (Arc::clone(&object.key.namespace), Arc::clone(&object.key.name));
        let before = match change {
            Change::Put => self.objects.insert(place, Arc::clone(&object)),
            Change::Delete => self.objects.remove(&place),
        };
        let event = Event::new(time, change, before, object);
        self.held += event.weight();
        self.passed += event.weight() as u64;
        self.history.push_back(Arc::new(event));
        while self.held > hard && self.history.len() > 1 {
            self.forget();
        }
    }

    pub(super) fn compact(&mut self, limit: Revision, soft: usize) {
        while self.held > soft && self.history.front().is_some_and(|event| event.revision() <= limit) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        if let Some(event) = self.history.pop_front() {
            self.held -= event.weight();
            self.floor = event.revision();
        }
    }
}
