//! The kubelet port: what the API server asks of a node directly.

mod cri_log;
mod exec;
mod logs;
mod port_forward;
mod registry;
mod route;
mod server;
mod socket;
mod stats;
mod upgrade;

pub(crate) use registry::{PodView, Registry};
pub(crate) use server::serve;
