//! Node agent, pod network, DNS, service forwarding.
//!
//! - [`run`] is the agent of one node: it registers the node, runs its pods, answers the API server's kubelet calls.
//! - [`net::yard`] builds the yard's network from inside the yard's network namespace.
//! - [`relay`] carries what leaves the yard, on the machine's side.

pub mod config;
pub mod error;
pub mod net;
pub mod relay;

pub use config::{AgentConfig, Clock, ServingIdentity};
pub use error::{AgentError, CODES, NetError, RelayError};

/// Runs the agent of one node until `config.shutdown` is cancelled. Pods keep running when it returns.
///
/// # Errors
/// [`AgentError`] when the node cannot be set up: unreadable kubeconfig or certificates, no network, port taken.
pub async fn run(config: AgentConfig) -> Result<(), AgentError> {
    let _ = config;
    todo!("agent loop lands next")
}
