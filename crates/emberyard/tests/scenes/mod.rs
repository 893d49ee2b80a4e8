//! Journeys beyond the tutorial's first session, by theme.

mod demos;
mod disk;
pub mod fleet;
mod forward;
mod greedy;
mod hdfs;
mod hdfs_drain;
mod hdfs_operator;
mod hostile;
mod images;
mod installed;
mod kernel;
mod killed;
pub mod notebooks;
mod others;
pub mod outside;
mod small_hdfs;
mod warm;
