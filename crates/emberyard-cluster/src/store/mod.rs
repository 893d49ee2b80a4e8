//! All objects and what recently happened to them.

mod collection;
mod compact;
mod event;
mod object;
mod snapshot;

pub(crate) use collection::Collection;
pub(crate) use compact::Departures;
pub(crate) use event::{Event, Form, Told};
pub(crate) use object::Object;

use crate::journal::{Change, Key, Record, Revision};
use emberyard_model::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bounds on the watch history of one kind, in bytes of encoded objects.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Above this, compaction may drop what nobody needs.
    pub(crate) soft: usize,
    /// Above this, the oldest goes whoever needs it.
    pub(crate) hard: usize,
}

/// The objects of all kinds under one revision counter.
#[derive(Debug)]
pub(crate) struct Store {
    revision: Revision,
    collections: BTreeMap<Arc<str>, Collection>,
    bounds: Bounds,
}

impl Store {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { revision: Revision(0), collections: BTreeMap::new(), bounds }
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// Everything of one kind; `None` if there never was an object of it.
    pub(crate) fn collection(&self, resource: &str) -> Option<&Collection> {
        self.collections.get(resource)
    }

    pub(crate) fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.collections.get(resource)?.get(namespace, name)
    }

    /// The objects of one kind, of one namespace if given, in order of namespace and name.
    pub(crate) fn list<'a>(
        &'a self,
        resource: &str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        self.collections.get(resource).into_iter().flat_map(move |collection| collection.list(namespace))
    }

    /// When this kind last changed: what caches over it compare.
    pub(crate) fn changed(&self, resource: &str) -> Revision {
        self.collections.get(resource).map_or(Revision(0), Collection::changed)
    }

    /// Creates or replaces an object; stamps `metadata.resourceVersion`.
    pub(crate) fn put(&mut self, key: Key, mut value: Value, now: Timestamp) -> (Arc<Object>, Record) {
        let revision = self.next(&mut value);
        let object = Arc::new(Object::new(key, revision, value));
        self.commit(Arc::clone(&object), Change::Put, now);
        let record = object.record(Change::Put, now);
        (object, record)
    }

    /// Removes an object. `value` is its last state, which watchers get with the removal's own revision.
    pub(crate) fn remove(&mut self, key: Key, mut value: Value, now: Timestamp) -> (Arc<Object>, Record) {
        let revision = self.next(&mut value);
        let object = Arc::new(Object::new(key, revision, value));
        self.commit(Arc::clone(&object), Change::Delete, now);
        let record = object.record(Change::Delete, now);
        (object, record)
    }

    fn next(&self, value: &mut Value) -> Revision {
        let revision = Revision(self.revision.0 + 1);
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".to_owned(), Value::String(revision.to_string()));
        }
        revision
    }

    /// Takes a change into state and history; the one door for live writes and for replay.
    fn commit(&mut self, object: Arc<Object>, change: Change, time: Timestamp) {
        self.revision = object.revision;
        let hard = self.bounds.hard;
        let resource = Arc::clone(&object.key.resource);
        self.collections.entry(resource).or_default().commit(object, change, time, hard);
    }

    /// Replays one record; older ones than the state are skipped. `false` if its object is no JSON.
    pub(crate) fn replay(&mut self, record: &Record) -> bool {
        if record.revision <= self.revision {
            return true;
        }
        let Some(object) = Object::decode(record) else { return false };
        self.commit(Arc::new(object), record.change, record.time);
        true
    }

    /// Drops history up to `limit` where a kind's is over the soft bound.
    pub(crate) fn compact(&mut self, limit: Revision) {
        let soft = self.bounds.soft;
        for collection in self.collections.values_mut() {
            collection.compact(limit, soft);
        }
    }
}

#[cfg(test)]
mod tests;
