//! `yard-net`: a step of the yard's network, in a process that stands in the yard's network namespace.

use crate::cli::YardNet;
use crate::error::Failure;
use crate::yard::{YardDir, folder::write_private};
use emberyard_model::Explained;
use emberyard_node::NetError;
use emberyard_node::net::address::{NodeNumber, RELAY_PORT};
use emberyard_node::net::fault;
use emberyard_node::net::yard::{self, Redirect};
use std::path::Path;

/// Runs one step.
pub async fn run(dir: &YardDir, step: &YardNet) -> Result<(), Failure> {
    crate::verb::keeper::log();
    let (step, outbound) = (step.clone(), dir.outbound());
    // The network crate joins namespaces in threads of its own and waits for them: not on a runtime's thread.
    let done = tokio::task::spawn_blocking(move || match step {
        YardNet::Setup { no_redirect } => set_up(no_redirect, &outbound),
        step => carry_out(&step).map_err(failed),
    });
    done.await.map_err(|error| Failure::Machine(error.to_string()))?
}

fn failed(error: NetError) -> Failure {
    Failure::Machine(error.explain())
}

/// Builds the network and leaves word of how pods reach the outside.
fn set_up(no_redirect: bool, outbound: &Path) -> Result<(), Failure> {
    let redirect = if no_redirect { Redirect::Never } else { Redirect::WherePossible };
    let way = yard::setup(RELAY_PORT, redirect).map_err(failed)?;
    tracing::info!(?way, "yard's network stands");
    let text = serde_json::to_vec(&way).map_err(|error| Failure::Output(error.into()))?;
    write_private(outbound, &text).map_err(|source| Failure::Folder { path: outbound.to_path_buf(), source })
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
        YardNet::Setup { .. } => Ok(()),
        YardNet::Attach { index, pid, .. } => {
            NodeNumber::new(index).map_or(Ok(()), |number| yard::attach_node(number, pid))
        }
        YardNet::Detach { index, .. } => of(index, yard::detach_node),
        YardNet::Cut { a, b } => between(a, b, fault::cut),
        YardNet::Heal { a, b } => between(a, b, fault::heal),
        YardNet::Unplug { index } => of(index, fault::unplug),
        YardNet::Plug { index } => of(index, fault::plug),
        YardNet::UnplugPod { neighbour, address } => fault::unplug_pod(neighbour, address),
        YardNet::PlugPod { neighbour, address } => fault::plug_pod(neighbour, address),
    }
}
