//! `yard-net`: a step of the yard's network, in a process that stands in the yard's network namespace.

use crate::cli::YardNet;
use crate::error::Failure;
use emberyard_model::Explained;
use emberyard_node::net::address::{NodeNumber, RELAY_PORT};
use emberyard_node::net::yard;

/// Runs one step.
pub async fn run(step: &YardNet) -> Result<(), Failure> {
    crate::verb::keeper::log();
    let step = step.clone();
    // The network crate joins namespaces in threads of its own and waits for them: not on a runtime's thread.
    let done = tokio::task::spawn_blocking(move || match step {
        YardNet::Setup => yard::setup(RELAY_PORT).map(|outbound| tracing::info!(?outbound, "yard's network stands")),
        YardNet::Attach { name, index, pid } => {
            tracing::info!(node = %name, index, pid, "cable");
            NodeNumber::new(index).map_or(Ok(()), |number| yard::attach_node(number, pid))
        }
        YardNet::Detach { index, .. } => NodeNumber::new(index).map_or(Ok(()), yard::detach_node),
    });
    done.await.map_err(|error| Failure::Machine(error.to_string()))?.map_err(|error| Failure::Machine(error.explain()))
}
