//! The vocabulary: typed names, quantities, times, errors with codes, custom resources.
//!
//! Ring 0: values only. No async, clock, files, environment, randomness or logging.

pub mod explained;
pub mod fit;
pub mod name;
pub mod quantity;
pub mod time;

pub use explained::{Code, Explained};
pub use name::{NameError, NamespaceName, NodeName, ObjectName, PodName};
pub use quantity::{Bytes, Cpu, Quantity, QuantityError, Resources};
pub use time::{Timestamp, TimestampError};
