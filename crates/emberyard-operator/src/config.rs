//! What an operator is given by whoever starts it.

use emberyard_client::Client;
use emberyard_cloud::Provider;
use emberyard_manifest::SessionSettings;
use emberyard_manifest::hdfs::HdfsSettings;
use emberyard_model::Timestamp;
use emberyard_plan::Policy;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Fills a buffer with unpredictable bytes; tokens are made of them.
pub type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Everything an operator needs.
#[derive(Clone)]
pub struct OperatorConfig {
    /// The cluster, under the operator's own identity.
    pub client: Client,
    /// Who this is, in the lease. The same name may take its own lease again at once after a crash, so two operators
    /// that can run at the same time need two names.
    pub identity: String,
    /// Defaults of notebooks.
    pub session: SessionSettings,
    /// Defaults of HDFS.
    pub hdfs: HdfsSettings,
    /// The fleet; none where nodes are somebody else's business.
    pub fleet: Option<FleetConfig>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// Ends both loops.
    pub shutdown: CancellationToken,
}

/// A fleet that may grow and shrink.
#[derive(Clone)]
pub struct FleetConfig {
    /// Where nodes come from.
    pub provider: Arc<dyn Provider>,
    /// Its limits and shapes.
    pub policy: Policy,
}
