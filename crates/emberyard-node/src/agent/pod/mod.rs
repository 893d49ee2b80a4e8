//! One pod: decides by `emberyard-pod`, carries out, reports.

mod act;
mod adopt;
mod exit;
mod hear;
mod hook;
mod message;
mod probe;
mod sandbox;
mod start;
mod task;
mod volumes;

pub use adopt::CHECKPOINT_FORMAT;
pub(super) use adopt::{Adopted, find};
pub(crate) use exit::log_file;
pub(super) use exit::oom_file;
pub(crate) use message::Message;
pub(super) use task::PodTask;
