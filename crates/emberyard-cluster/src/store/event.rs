//! One change as watchers see it.

use super::Object;
use crate::journal::{Change, Revision};
use bytes::Bytes;
use emberyard_model::Timestamp;
use std::sync::{Arc, OnceLock};

/// How a watcher wants objects: each form is encoded once and shared by all that want it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The object.
    Whole = 0,
    /// `PartialObjectMetadata`.
    Partial = 1,
}

/// What a watcher is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Added = 0,
    Modified = 1,
    Deleted = 2,
}

impl Told {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One change of one object.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) time: Timestamp,
    pub(crate) change: Change,
    /// State before; `None` if the object is new.
    pub(crate) before: Option<Arc<Object>>,
    /// New state; for a removal the last one with the removal's revision.
    pub(crate) object: Arc<Object>,
    frames: [OnceLock<Bytes>; 6],
}

impl Event {
    pub(crate) fn new(time: Timestamp, change: Change, before: Option<Arc<Object>>, object: Arc<Object>) -> Self {
        Self { time, change, before, object, frames: Default::default() }
    }

    pub(crate) fn revision(&self) -> Revision {
        self.object.revision
    }

    /// What this weighs in the history's bound.
    pub(crate) fn weight(&self) -> usize {
        self.object.json.len() + 256
    }

    /// What a watcher whose selectors pick by `picks` is told; `None` = nothing.
    pub(crate) fn told(&self, picks: impl Fn(&Object) -> bool) -> Option<Told> {
        let before = self.before.as_deref().is_some_and(&picks);
        let after = self.change == Change::Put && picks(&self.object);
        match (before, after) {
            (false, false) => None,
            (false, true) => Some(Told::Added),
            (true, true) => Some(Told::Modified),
            (true, false) => Some(Told::Deleted),
        }
    }

    /// The encoded event, made by `encode` the first time it is asked for.
    pub(crate) fn frame(&self, told: Told, form: Form, encode: impl FnOnce() -> Bytes) -> Bytes {
        self.frames[form as usize * 3 + told as usize].get_or_init(encode).clone()
    }
}
