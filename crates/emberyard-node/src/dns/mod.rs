//! The cluster's DNS, answered by each agent itself from what it knows: it survives the control plane.

mod server;
mod zone;

pub(crate) use server::serve;
pub(crate) use zone::LocalPods;
