//! Watches to World, plans to requests: sessions and fleet on any cluster.
//!
//! Loops under one lease. [`notebooks`] turns each Notebook into its objects and says in its status how far they
//! are, [`hdfs`] does the same with each HdfsCluster; [`fleet`] lets `emberyard-plan` decide on nodes and carries the decision to a provider. Both know nothing of the
//! cluster they run in: what they see comes from watches, what they do are requests.

pub mod config;
mod driver;
pub mod error;
pub mod fleet;
pub mod hdfs;
mod index;
mod lease;
pub mod notebooks;
mod run;
mod view;
mod write;

pub use config::{Clock, Entropy, FleetConfig, OperatorConfig};
pub use error::{CODES, OperatorError};
pub use fleet::explain::{EXPLAIN_NAME, EXPLAIN_NAMESPACE, Explanation};
pub use run::run;
