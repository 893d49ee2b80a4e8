//! The open feeds of all controllers. Those that watch as the same user share one feed of each resource, so that a change
//! is read once however many controllers there are, and an object's text is held once.

use super::feed::{Fed, Feed};
use crate::http::Gate;
use emberyard_cluster::User;
use emberyard_object::Gvr;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::mpsc;

/// Who watches what.
pub type FeedKey = (String, Arc<Gvr>);

/// A controller's place at a feed; giving it up is dropping it.
pub struct Subscription {
    _held: Arc<()>,
}

/// The other end of a [`Subscription`].
pub struct Listener {
    out: mpsc::Sender<(Arc<Gvr>, Fed)>,
    subscribed: Weak<()>,
}

/// The feeds that are open.
pub struct Feeds {
    gate: Arc<Gate>,
    open: Mutex<BTreeMap<FeedKey, mpsc::UnboundedSender<Listener>>>,
}

impl Listener {
    /// Whether anybody still listens.
    pub fn listens(&self) -> bool {
        self.subscribed.strong_count() > 0 && !self.out.is_closed()
    }

    /// Tells it, once it has room.
    pub async fn tell(&self, resource: &Arc<Gvr>, fed: Fed) {
        // Who does not listen any more is left out the next time.
        drop(self.out.send((Arc::clone(resource), fed)).await);
    }
}

impl Feeds {
    /// None is open yet.
    pub fn new(gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { gate, open: Mutex::default() })
    }

    /// Begins to listen to a resource as this user: every object that is there is told, [`Fed::Listed`], then each change.
    pub fn subscribe(
        self: &Arc<Self>,
        user: &User,
        resource: &Arc<Gvr>,
        out: mpsc::Sender<(Arc<Gvr>, Fed)>,
    ) -> Subscription {
        let held = Arc::new(());
        let listener = Listener { out, subscribed: Arc::downgrade(&held) };
        let key = (user.name.clone(), Arc::clone(resource));
        let mut open = self.lock();
        let joining = open.entry(key).or_insert_with_key(|key| {
            let (joining, joined) = mpsc::unbounded_channel();
            let feed = Feed::new(Arc::clone(&self.gate), user.clone(), Arc::clone(&key.1), joined);
            tokio::spawn(feed.run(Arc::clone(self)));
            joining
        });
        // A feed takes itself out of the open ones before it ends, under the same lock.
        drop(joining.send(listener));
        Subscription { _held: held }
    }

    /// Closes a feed to which nobody listens; false where somebody has just joined.
    pub fn close(&self, key: &FeedKey, joined: &mpsc::UnboundedReceiver<Listener>) -> bool {
        let mut open = self.lock();
        let deserted = joined.is_empty();
        if deserted {
            open.remove(key);
        }
        deserted
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<FeedKey, mpsc::UnboundedSender<Listener>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
