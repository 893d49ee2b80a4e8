//! HDFS: observe, validate, build, apply, say.
//!
//! An HdfsCluster becomes objects by `emberyard_manifest::hdfs`; the cluster's own controllers carry them out, and here is
//! looked after what came of them.

mod canary;
mod follow;
mod name_node;
mod nodes;
mod removal;
pub mod roll;
mod room;
mod sessions;
mod spread;
pub mod status;

pub use canary::CANARY;
pub use follow::run;
pub use sessions::Found;
