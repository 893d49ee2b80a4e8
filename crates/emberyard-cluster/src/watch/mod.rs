//! Watches: where one stands, and what it gets next.

mod frame;
mod poll;

use crate::Revision;
use crate::store::{Collection, Object, Store};
use bytes::Bytes;
use emberyard_model::Timestamp;
use emberyard_object::Kind;
use emberyard_object::selector::{FieldSelector, LabelSelector};
use emberyard_object::table::IncludeObject;
use std::collections::VecDeque;
use std::sync::Arc;

pub(crate) use poll::poll;

/// Which objects of a kind are meant.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) kind: Arc<Kind>,
    /// What the kind's objects are stored as.
    pub(crate) resource: Arc<str>,
    pub(crate) namespace: Option<String>,
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
}

impl Selection {
    /// Whether nothing but the namespace is asked for.
    pub(crate) fn is_plain(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn picks(&self, object: &Object) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| **namespace == *object.key.namespace)
            && self.labels.matches(&object.value)
            && (self.fields.is_empty() || self.fields.matches(&crate::present::as_kind(&self.kind, &object.value)))
    }

    /// What is meant, in order; looks a single name up directly.
    pub(crate) fn all<'a>(&'a self, store: &'a Store) -> Box<dyn Iterator<Item = &'a Arc<Object>> + 'a> {
        let namespace = self.namespace.as_deref().or_else(|| self.fields.exact("metadata.namespace"));
        if let Some(name) = self.fields.exact("metadata.name")
            && (namespace.is_some() || !self.kind.namespaced)
        {
            let found = store.get(&self.resource, namespace.unwrap_or(""), name);
            return Box::new(found.into_iter().filter(|object| self.picks(object)));
        }
        Box::new(store.list(&self.resource, namespace).filter(|object| self.picks(object)))
    }
}

/// How a client wants events' objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WatchForm {
    Whole,
    Partial,
    Table(IncludeObject),
}

/// Where one watch stands. Cheap to keep; holds no lock on the server.
#[derive(Debug)]
pub struct WatchCursor {
    selection: Selection,
    form: WatchForm,
    /// Objects still to be shown as ADDED, of the state at `start`.
    initial: VecDeque<Arc<Object>>,
    start: Revision,
    /// A bookmark that says "that was all" is due after `initial`.
    end_of_initial: bool,
    /// Everything up to here has been looked at.
    position: Revision,
    /// The newest revision the client was shown.
    sent: Revision,
    /// How much history the kind had written when `sent` was.
    sent_passed: u64,
    bookmarks: bool,
    next_bookmark: Option<Timestamp>,
    columns_sent: bool,
}

impl WatchCursor {
    /// The watch of everything after `from`.
    pub(crate) fn after(selection: Selection, form: WatchForm, from: Revision, bookmarks: bool, store: &Store) -> Self {
        let sent_passed = store.collection(&selection.resource).map_or(0, Collection::passed);
        Self {
            selection,
            form,
            initial: VecDeque::new(),
            start: from,
            end_of_initial: false,
            position: from,
            sent: from,
            sent_passed,
            bookmarks,
            next_bookmark: None,
            columns_sent: false,
        }
    }

    /// The watch that first shows what there is; `mark` asks for a bookmark at the end of that.
    pub(crate) fn from_now(selection: Selection, form: WatchForm, bookmarks: bool, mark: bool, store: &Store) -> Self {
        let initial = selection.all(store).cloned().collect();
        let mut cursor = Self::after(selection, form, store.revision(), bookmarks, store);
        cursor.initial = initial;
        cursor.end_of_initial = mark;
        cursor
    }

    /// The revision the client may come back with after a pause: the newest one it was shown by an event or bookmark
    /// (one that takes no bookmarks lists anew). `ApiServer::compact` must be told the oldest of these over all
    /// connected watches.
    pub fn sent(&self) -> Revision {
        if self.bookmarks { self.sent } else { self.position }
    }
}

/// What a watch gets.
#[derive(Debug, Default)]
pub struct WatchPoll {
    /// Encoded events, each one JSON document that ends in one newline.
    pub frames: Vec<Bytes>,
    /// The stream ends after these frames (an ERROR event is the last one).
    pub finished: bool,
    /// There is more at this same revision: poll again at once.
    pub more: bool,
    /// Poll again at this time even if nothing changes (a bookmark is then due).
    pub wake: Option<Timestamp>,
}
