//! Node agent, pod network, DNS, service forwarding.
//!
//! - [`run`] is the agent of one node: it registers the node, runs its pods, answers the API server's kubelet calls.
//! - [`net::yard`] builds the yard's network from inside the yard's network namespace.
//! - [`relay`] carries what leaves the yard, on the machine's side.

mod agent;
mod bounds;
mod cluster;
pub mod config;
mod dns;
pub mod error;
mod kubelet;
pub mod net;
pub mod relay;
mod service;
mod tasks;
mod tls;

pub use agent::{CHECKPOINT_FORMAT, run};
pub use config::{AgentConfig, Clock, ServingIdentity};
pub use error::{AgentError, CODES, NetError, RelayError};
