//! Scheduler and controllers as pure step functions; they speak in API requests only.
//!
//! All have one shape, [`Controller`]: watch events and answers come in, requests go out. None touches the
//! store, so the same code runs against any Kubernetes API server. All but the scheduler are a
//! `Reconciler`: they say which keys an event concerns and what a key lacks.

mod controller;
mod deployments;
mod disruption;
mod endpoints;
mod garbage;
mod in_every_namespace;
mod index;
mod jobs;
mod kinds;
mod namespace_life;
mod node_life;
mod pod_garbage;
mod reconcile;
mod replica_sets;
mod resources;
mod scheduler;
mod settings;
mod stateful_sets;
mod trim;
mod volumes;
mod workload;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub use controller::{Change, Controller, Input, Output, Rng};
pub use index::{Id, Index};
pub use settings::{Settings, all};
