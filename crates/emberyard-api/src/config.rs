//! What `serve` is told.

use crate::pki::Names;
use emberyard_model::Timestamp;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Reads the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Fills slices with random bytes; a closure will do.
pub type EntropySource = Box<dyn emberyard_cluster::Entropy + Send + Sync>;

/// Tells how many bytes the journal's files may have together, if there is a limit; asked before each write, so that it can
/// change while the server runs.
pub type JournalLimit = Arc<dyn Fn() -> Option<u64> + Send + Sync>;

/// Everything one API server needs; nothing is read from the environment.
pub struct ServeConfig {
    /// Folder of keys and certificates (`pki/` of the yard); made when missing.
    pub pki: PathBuf,
    /// Folder of the journal (`journal/` of the yard); made when missing.
    pub journal: PathBuf,
    /// How large it may become.
    pub journal_limit: JournalLimit,
    /// Names and addresses of the serving certificate.
    pub names: Names,
    /// Version, networks and limits of the cluster.
    pub cluster: emberyard_cluster::Config,
    /// Bound sockets to serve on, all alike (TLS).
    pub listeners: Vec<TcpListener>,
    /// The controllers to run beside it; see `emberyard_control::all`.
    pub controllers: Vec<Box<dyn emberyard_control::Controller>>,
    /// The clock.
    pub clock: Clock,
    /// Randomness of names, uids and token ids.
    pub entropy: EntropySource,
    /// Cancelled to end: connections are told to go away, answers on their way are sent.
    pub shutdown: CancellationToken,
}
