//! The whole state as bytes: the journal's frames again.
//!
//! A snapshot is a head (revision, floors, number of objects), the objects as they were where the history begins, and
//! the history as ordinary records. Reading it is replay, so a restored store has the same history.

use super::{Bounds, Object, Store};
use crate::journal::{self, Change, Decoder, JournalError, Key, Record, Revision};
use emberyard_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
struct Head {
    revision: u64,
    floors: BTreeMap<String, u64>,
    objects: usize,
    events: usize,
}

/// Records of one frame: bounds how much a reader must hold at once.
const BATCH: usize = 256;

/// The head stands where objects have theirs.
fn head_key() -> Key {
    Key::new("", "", "snapshot")
}

impl Store {
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        let mut base = Vec::new();
        let mut history = Vec::new();
        for collection in self.collections.values() {
            let objects = collection.at(collection.floor()).unwrap_or_default();
            base.extend(objects.into_values().map(|object| object.record(Change::Put, Timestamp(0))));
            history.extend(collection.history().map(|event| event.object.record(event.change, event.time)));
        }
        history.sort_by_key(|record| record.revision);
        let floors = self.collections.iter().map(|(kind, c)| (kind.to_string(), c.floor().0)).collect();
        let head = Head { revision: self.revision.0, floors, objects: base.len(), events: history.len() };
        let head = Record {
            revision: self.revision,
            time: Timestamp(0),
            change: Change::Put,
            key: head_key(),
            json: serde_json::to_vec(&head).unwrap_or_default().into(),
        };
        let mut bytes = journal::encode(&[head], self.revision);
        for batch in base.chunks(BATCH).chain(history.chunks(BATCH)) {
            bytes.extend(journal::encode(batch, self.revision));
        }
        bytes
    }

    /// The newest states among records from anywhere, as a store without history at `revision`: who watches begins anew.
    /// `Err` is the revision of a record whose object is no JSON.
    pub(crate) fn from_salvage(records: Vec<Record>, revision: Revision, bounds: Bounds) -> Result<Self, Revision> {
        let mut newest: BTreeMap<Key, Record> = BTreeMap::new();
        for record in records {
            let older = newest.get(&record.key).is_none_or(|known| known.revision <= record.revision);
            if older && record.key != head_key() {
                newest.insert(record.key.clone(), record);
            }
        }
        let mut store = Self::new(bounds);
        for record in newest.into_values() {
            let collection = store.collections.entry(Arc::clone(&record.key.resource)).or_default();
            collection.set_floor(revision);
            if record.change == Change::Put {
                collection.seed(Arc::new(Object::decode(&record).ok_or(record.revision)?));
            }
        }
        store.revision = revision;
        Ok(store)
    }

    /// The store a snapshot holds. Anything amiss, a missing end included, is damage: snapshots are written whole.
    pub(crate) fn from_snapshot(bytes: &[u8], bounds: Bounds) -> Result<Self, JournalError> {
        let damaged = JournalError::Damaged { offset: 0 };
        let mut store = Self::new(bounds);
        let mut records = Decoder::new(bytes, Revision(0));
        let head: Head = match records.next() {
            Some(record) => serde_json::from_slice(&record?.json).map_err(|_| damaged)?,
            None => return Err(damaged),
        };
        for (resource, floor) in &head.floors {
            store.collections.entry(Arc::from(resource.as_str())).or_default().set_floor(Revision(*floor));
        }
        for _ in 0..head.objects {
            let record = records.next().ok_or(damaged)??;
            let object = Object::decode(&record).ok_or(damaged)?;
            store.collections.entry(Arc::clone(&record.key.resource)).or_default().seed(Arc::new(object));
        }
        let mut events = 0;
        for record in records {
            if !store.replay(&record?) {
                return Err(damaged);
            }
            events += 1;
        }
        if store.revision.0 > head.revision || events != head.events {
            return Err(damaged);
        }
        store.revision = Revision(head.revision);
        Ok(store)
    }
}
