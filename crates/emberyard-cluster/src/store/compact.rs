//! How far history may be forgotten.

use crate::journal::Revision;
use emberyard_model::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a watcher that went away may take to come back.
const PATIENCE: Duration = Duration::from_mins(10);

/// Remembers where the slowest watcher stood over the last ten minutes: one that left stood no further back.
#[derive(Debug, Default)]
pub(crate) struct Departures {
    seen: VecDeque<(Timestamp, Revision)>,
}

impl Departures {
    /// Takes the slowest connected watcher's revision and says up to where history may be dropped now.
    ///
    /// For the first ten minutes that is nowhere: those who were connected before a restart may still come back.
    pub(crate) fn limit(&mut self, oldest_connected: Revision, now: Timestamp) -> Revision {
        if self.seen.is_empty() {
            self.seen.push_back((now, Revision(0)));
        }
        self.seen.push_back((now, oldest_connected));
        while self.seen.front().is_some_and(|(time, _)| now.since(*time) > PATIENCE) {
            self.seen.pop_front();
        }
        self.seen.iter().map(|(_, revision)| *revision).min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_those_who_left() {
        let mut departures = Departures::default();
        let minute = |m: i64| Timestamp::from_seconds(m * 60);
        let table = [(0, 100, 0), (5, 200, 0), (10, 300, 0), (11, 400, 200), (16, 500, 300), (30, 600, 600)];
        for (at, oldest, limit) in table {
            assert_eq!(departures.limit(Revision(oldest), minute(at)), Revision(limit), "at minute {at}");
        }
    }
}
