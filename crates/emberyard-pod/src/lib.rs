//! What a kubelet decides: phases, restarts, probes, grace, volume plans, environment; and how port-forward is spoken.
//!
//! Ring 1: values only. The agent reports what happened into [`Observed`], calls [`plan()`] and carries out the
//! [`Action`]s; it makes no choices of its own.
//!
//! Rule source: the Kubernetes documentation of the pod life cycle and probes, API reference v1.35.

pub mod env;
pub mod error;
pub mod eviction;
pub mod expand;
pub mod facts;
pub mod fields;
pub mod files;
pub mod network;
pub mod observed;
pub mod oom;
mod plan;

pub mod port_forward;
pub mod process;
mod restart;
pub mod spdy;
pub mod spec;
pub mod status;
pub mod volumes;

pub use error::{CODES, PodError};
pub use facts::{Facts, ServiceFact, Sources};
pub use observed::{Exit, ImageRecord, Observed, ProbeKind, Run, Stage};
pub use plan::{Action, Decision, Event, Signal, plan};
pub use spec::Pod;
