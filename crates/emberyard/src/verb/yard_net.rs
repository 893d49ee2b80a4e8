//! `yard-net`: a step of the yard's network, in a process that stands in the yard's network namespace.

use crate::cli::YardNet;
use crate::error::Failure;
use emberyard_model::Explained;
use emberyard_node::NetError;
use emberyard_node::net::address::{NodeNumber, RELAY_PORT};
use emberyard_node::net::{fault, yard};

/// Runs one step.
pub async fn run(step: &YardNet) -> Result<(), Failure> {
    crate::verb::keeper::log();
    let step = step.clone();
    // The network crate joins namespaces in threads of its own and waits for them: not on a runtime's thread.
    let done = tokio::task::spawn_blocking(move || carry_out(&step));
    done.await.map_err(|error| Failure::Machine(error.to_string()))?.map_err(|error| Failure::Machine(error.explain()))
}

/// A number that no node has names nothing: there is nothing to do.
fn carry_out(step: &YardNet) -> Result<(), NetError> {
    tracing::info!(?step, "yard's network");
    let of = |index: u8, work: fn(NodeNumber) -> Result<(), NetError>| NodeNumber::new(index).map_or(Ok(()), work);
    let between = |a: u8, b: u8, work: fn(NodeNumber, NodeNumber) -> Result<(), NetError>| match (
        NodeNumber::new(a),
        NodeNumber::new(b),
    ) {
        (Some(a), Some(b)) => work(a, b),
        _ => Ok(()),
    };
    match *step {
        YardNet::Setup => yard::setup(RELAY_PORT).map(|outbound| tracing::info!(?outbound, "yard's network stands")),
        YardNet::Attach { index, pid, .. } => {
            NodeNumber::new(index).map_or(Ok(()), |number| yard::attach_node(number, pid))
        }
        YardNet::Detach { index, .. } => of(index, yard::detach_node),
        YardNet::Cut { a, b } => between(a, b, fault::cut),
        YardNet::Heal { a, b } => between(a, b, fault::heal),
        YardNet::Unplug { index } => of(index, fault::unplug),
        YardNet::Plug { index } => of(index, fault::plug),
    }
}
