//! Decisions: which nodes to buy, which to remove, and why.
//!
//! Ring 1: values in, values out. [`observe`] turns Kubernetes objects into the [`World`], [`fleet::plan`] turns a world and a
//! [`Policy`] into a [`Plan`] whose [`Reason`]s are what `emberyard explain` prints, [`lint()`] looks for contradictions in it.
//! [`session`] tells a Spark session's user who waits for what and who ended why. [`hdfs`] says which DataNodes may go.

pub mod fleet;
mod gang;
pub mod hdfs;
mod lint;
mod most;
pub mod observe;
mod plan;
mod policy;
mod reason;
mod removal;
mod room;
mod seconds;
pub mod session;
mod world;

#[cfg(test)]
mod tests;

pub use lint::{Contradiction, lint};
pub use most::{TooMuch, too_much};
pub use plan::{Plan, Step};
pub use policy::{Policy, Shape};
pub use reason::{Keeper, Reason};
pub use world::{GangId, Node, NodeState, Pod, PodId, Standing, World};
