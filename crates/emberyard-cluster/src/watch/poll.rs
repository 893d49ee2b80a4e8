//! What a watch gets next.

use super::frame::{self, Frames};
use super::{WatchCursor, WatchPoll};
use crate::Revision;
use crate::failure::Failure;
use crate::store::Store;
use emberyard_model::Timestamp;
use std::time::Duration;

/// Frames of one poll: a slow client of a long list must not hold the server.
const BATCH: usize = 512;
/// Events looked at in one poll.
const SCAN: usize = 8192;
/// A quiet watch that takes bookmarks gets one this often.
const BOOKMARK_EVERY: Duration = Duration::from_secs(30);

/// Moves `cursor` on over what is durable, up to `upto`; `window` is the soft bound of the kind's history.
pub(crate) fn poll(
    store: &Store,
    window: usize,
    cursor: &mut WatchCursor,
    upto: Revision,
    now: Timestamp,
) -> WatchPoll {
    let mut poll = WatchPoll::default();
    if upto < cursor.start {
        return poll;
    }
    if !show_initial(cursor, &mut poll, now) {
        poll.more = true;
        return poll;
    }
    let collection = store.collection(&cursor.selection.resource);
    if collection.is_some_and(|collection| cursor.position < collection.floor()) {
        let status = Failure::expired("too old resource version").status();
        poll.frames.push(frame::error(&status));
        poll.finished = true;
        return poll;
    }
    let from = cursor.position;
    let events = collection.into_iter().flat_map(|collection| collection.since(from));
    for (looked, event) in events.enumerate() {
        if event.revision() > upto {
            break;
        }
        if poll.frames.len() >= BATCH || looked >= SCAN {
            poll.more = true;
            break;
        }
        let frames = Frames { selection: &cursor.selection, form: cursor.form, columns: !cursor.columns_sent, now };
        if let Some(frame) = frames.event(event) {
            poll.frames.push(frame);
            cursor.columns_sent = true;
            cursor.sent = event.revision();
        }
        cursor.position = event.revision();
    }
    if !poll.more {
        cursor.position = cursor.position.max(upto);
    }
    let passed = collection.map_or(0, |collection| collection.passed());
    if cursor.bookmarks {
        let behind = poll.frames.is_empty() && passed.saturating_sub(cursor.sent_passed) > window as u64 / 2;
        mark(cursor, &mut poll, behind, now);
    }
    if !poll.frames.is_empty() {
        cursor.sent_passed = passed;
    }
    poll
}

/// Shows what was there at the start; `false` if some of it is left for the next poll.
fn show_initial(cursor: &mut WatchCursor, poll: &mut WatchPoll, now: Timestamp) -> bool {
    while let Some(object) = cursor.initial.pop_front() {
        let frames = Frames { selection: &cursor.selection, form: cursor.form, columns: !cursor.columns_sent, now };
        poll.frames.push(frames.added(&object));
        cursor.columns_sent = true;
        if poll.frames.len() >= BATCH {
            return false;
        }
    }
    if std::mem::take(&mut cursor.end_of_initial) {
        poll.frames.push(frame::bookmark(&cursor.selection.kind, cursor.form, cursor.start, true));
    }
    true
}

/// Sends a bookmark when one is due by time or because the watch falls `behind`.
fn mark(cursor: &mut WatchCursor, poll: &mut WatchPoll, behind: bool, now: Timestamp) {
    let due = *cursor.next_bookmark.get_or_insert_with(|| now.plus(BOOKMARK_EVERY));
    if (behind || now >= due) && !poll.more {
        if cursor.position > cursor.sent {
            poll.frames.push(frame::bookmark(&cursor.selection.kind, cursor.form, cursor.position, false));
            cursor.sent = cursor.position;
        }
        cursor.next_bookmark = Some(now.plus(BOOKMARK_EVERY));
    }
    poll.wake = cursor.next_bookmark;
}
