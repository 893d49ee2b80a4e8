//! One state of one object.

use crate::journal::{Change, Key, Record, Revision};
use bytes::Bytes;
use emberyard_model::Timestamp;
use emberyard_object::view::Meta;
use serde_json::Value;

/// One state of one object; never changed, shared by state, history and answers.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) key: Key,
    pub(crate) revision: Revision,
    pub(crate) value: Value,
    /// The same as JSON: written once for journal, answers and watches.
    pub(crate) json: Bytes,
}

impl Object {
    pub(crate) fn new(key: Key, revision: Revision, value: Value) -> Self {
        let json = Bytes::from(value.to_string());
        Self { key, revision, value, json }
    }

    /// From a journal record; `None` if the object is no JSON.
    pub(crate) fn decode(record: &Record) -> Option<Self> {
        let value = serde_json::from_slice(&record.json).ok()?;
        Some(Self { key: record.key.clone(), revision: record.revision, value, json: record.json.clone() })
    }

    pub(crate) fn record(&self, change: Change, time: Timestamp) -> Record {
        Record { revision: self.revision, time, change, key: self.key.clone(), json: self.json.clone() }
    }

    pub(crate) fn meta(&self) -> Meta<'_> {
        Meta(&self.value)
    }
}
