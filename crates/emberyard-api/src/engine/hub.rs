//! Wakes the watches of a resource when something of it became durable, and knows how far back they stand.

use emberyard_cluster::{Record, Revision};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::watch;

#[derive(Default)]
pub(super) struct Hub {
    resources: Mutex<BTreeMap<String, watch::Sender<Revision>>>,
    seats: Mutex<Vec<Weak<AtomicU64>>>,
}

/// The place of one connected watch; giving it up is dropping it.
pub struct WatchSeat {
    changed: watch::Receiver<Revision>,
    sent: Arc<AtomicU64>,
}

impl WatchSeat {
    /// Resolves when something of the resource became durable since the last call.
    pub async fn changed(&mut self) {
        if self.changed.changed().await.is_err() {
            // The engine is gone; its watches end by the shutdown token.
            std::future::pending::<()>().await;
        }
    }

    /// Notes how far the client has been served.
    pub fn note(&self, sent: Revision) {
        self.sent.store(sent.0, Ordering::Relaxed);
    }
}

impl Hub {
    pub fn seat(&self, resource: &str, sent: Revision) -> WatchSeat {
        let sent = Arc::new(AtomicU64::new(sent.0));
        lock(&self.seats).push(Arc::downgrade(&sent));
        let mut resources = lock(&self.resources);
        let sender = match resources.get(resource) {
            Some(sender) => sender,
            None => resources.entry(resource.to_owned()).or_insert_with(|| watch::Sender::new(Revision(0))),
        };
        WatchSeat { changed: sender.subscribe(), sent }
    }

    /// The smallest revision any connected watch may come back with.
    pub fn oldest(&self) -> Option<Revision> {
        let mut seats = lock(&self.seats);
        seats.retain(|seat| seat.strong_count() > 0);
        seats.iter().filter_map(Weak::upgrade).map(|sent| Revision(sent.load(Ordering::Relaxed))).min()
    }

    /// Wakes the watches of what these records changed.
    pub fn publish(&self, records: &[Record]) {
        let resources = lock(&self.resources);
        let mut done: Vec<&str> = Vec::new();
        for record in records.iter().rev() {
            // Without its group: events of both their groups are one store, and a needless wake costs little.
            let resource = record.key.resource.split('.').next().unwrap_or_default();
            if !done.contains(&resource) {
                done.push(resource);
                if let Some(sender) = resources.get(resource) {
                    sender.send_replace(record.revision);
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberyard_cluster::{Change, Key};
    use futures::FutureExt;

    #[test]
    fn wakes_whom_it_concerns_and_knows_the_oldest() {
        let hub = Hub::default();
        let mut pods = hub.seat("pods", Revision(7));
        let mut nodes = hub.seat("nodes", Revision(5));
        assert_eq!(hub.oldest(), Some(Revision(5)));
        let record = Record {
            revision: Revision(9),
            time: emberyard_model::Timestamp(0),
            change: Change::Put,
            key: Key::new("pods.example.com", "default", "a"),
            json: bytes::Bytes::new(),
        };
        hub.publish(&[record]);
        assert!(pods.changed().now_or_never().is_some());
        assert!(pods.changed().now_or_never().is_none());
        assert!(nodes.changed().now_or_never().is_none());
        nodes.note(Revision(9));
        assert_eq!(hub.oldest(), Some(Revision(7)));
        drop(pods);
        assert_eq!(hub.oldest(), Some(Revision(9)));
    }
}
