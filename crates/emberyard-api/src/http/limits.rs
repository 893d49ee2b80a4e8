//! How much of this process one kind of client may hold.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A TLS handshake takes no longer.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// The first request of a connection comes within this time.
pub const FIRST_REQUEST: Duration = Duration::from_secs(30);
/// An HTTP/1.1 connection without a (whole) next request is closed after this. Longer than Spark's 30 s between polls.
pub const IDLE: Duration = Duration::from_secs(90);
/// A request's body comes within this time.
pub const BODY: Duration = Duration::from_mins(1);
/// Longest body that is read at all: 3 MiB, as Kubernetes has it.
pub const BODY_BYTES: usize = 3 << 20;
/// Of a longer body this much more is read and forgotten.
pub const DRAINED_BYTES: usize = 16 << 20;
/// Bodies being read at the same time; with [`BODY_BYTES`] this bounds their memory.
const BODIES: usize = 64;
/// Streams a client may open on one HTTP/2 connection (Go clients count on 250).
pub const STREAMS: u32 = 250;
/// After this, connections that did not end by themselves are dropped at shutdown.
pub const FAREWELL: Duration = Duration::from_secs(3);
/// Open files kept back for the journal, kubelets and the like.
const RESERVED: u64 = 256;

/// Counts connections and bodies.
#[derive(Debug, Clone)]
pub struct Limits {
    connections: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
}

impl Limits {
    /// As many connections as open files allow: the soft limit is raised to the hard one first.
    pub fn of_this_process() -> Self {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, ..limit };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
        let files = limit.current.unwrap_or(65_536);
        let connections = files.saturating_sub(RESERVED).clamp(64, 16_384) * 3 / 4;
        Self::new(usize::try_from(connections).unwrap_or(64))
    }

    /// With this many connections.
    pub fn new(connections: usize) -> Self {
        Self { connections: Arc::new(Semaphore::new(connections)), bodies: Arc::new(Semaphore::new(BODIES)) }
    }

    /// Waits for room for one more connection, which lasts as long as the permit.
    pub(super) async fn connection(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.connections).acquire_owned().await.ok()
    }

    /// Waits for room to read one more body.
    pub(super) async fn body(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.bodies).acquire_owned().await.ok()
    }
}
