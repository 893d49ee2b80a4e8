//! Events are news: they are kept for an hour.

use crate::call::Call;
use crate::store::Object;
use emberyard_model::Timestamp;
use emberyard_object::view::text;
use std::time::Duration;

const KEPT: Duration = Duration::from_hours(1);
/// Old events are looked for this often, when a new one comes.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

impl Call<'_> {
    /// Removes events that are past their time, if `written` is one and the last look is a while ago.
    pub(crate) fn expire(&mut self, written: &Object) {
        if *written.key.resource != *"events" || self.now.since(self.server.swept) < SWEEP_EVERY {
            return;
        }
        self.server.swept = self.now;
        let events = self.server.store.list("events", None);
        let old: Vec<_> = events.filter(|event| self.now.since(last_seen(event)) > KEPT).cloned().collect();
        for event in old {
            let (_, record) = self.server.store.remove(event.key.clone(), event.value.clone(), self.now);
            self.records.push(record);
        }
    }
}

/// When what the event tells of last happened.
fn last_seen(event: &Object) -> Timestamp {
    let paths: [&[&str]; 4] =
        [&["series", "lastObservedTime"], &["lastTimestamp"], &["eventTime"], &["metadata", "creationTimestamp"]];
    let times = paths.iter().filter_map(|path| Timestamp::parse(text(&event.value, path)).ok());
    times.max().unwrap_or_default()
}
