//! Watches: where one stands, and what it gets next.

use crate::Revision;
use bytes::Bytes;
use emberyard_model::Timestamp;

/// Where one watch stands. Cheap to keep; holds no lock on the server.
#[derive(Debug)]
pub struct WatchCursor {
    sent: Revision,
}

impl WatchCursor {
    /// The newest revision the client has been shown by an event or bookmark: it may come back with this one, so
    /// `ApiServer::compact` must be told the oldest of these over all connected watches.
    pub fn sent(&self) -> Revision {
        self.sent
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
