//! The vocabulary: typed names, quantities, times, errors with codes, custom resources.
//!
//! Ring 0: values only. No async, clock, files, environment, randomness or logging.

pub mod crd;
pub mod explained;
pub mod fit;
pub mod hdfs;
pub mod name;
pub mod notebook;
pub mod quantity;
pub mod score;
pub mod session;
pub mod time;

pub use explained::{Code, Explained, with_causes};
pub use hdfs::{HdfsPart, HdfsPhase, HdfsRacks, HdfsSpec, HdfsStatus, HdfsStorage};
pub use name::{NameError, NamespaceName, NodeName, ObjectName, PodName};
pub use notebook::{Condition, Folder, HomeVolume, NotebookPhase, NotebookResources, NotebookSpec, NotebookStatus};
pub use quantity::{Bytes, Cpu, Quantity, QuantityError, Resources};
pub use score::HdfsScore;
pub use session::{EndedExecutor, SessionStatus, Waiting};
pub use time::{Timestamp, TimestampError};
