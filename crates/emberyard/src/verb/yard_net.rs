//! `yard-net`: a step of the yard's network, in a process that stands in the yard's network namespace.

use crate::cli::YardNet;
use crate::error::Failure;
use crate::yard::{YardDir, folder::write_private};
use emberyard_model::Explained;
use emberyard_node::NetError;
use emberyard_node::net::address::{NodeNumber, RELAY_PORT};
use emberyard_node::net::yard::{self, Redirect};

/// Runs one step.
pub async fn run(dir: &YardDir, step: &YardNet) -> Result<(), Failure> {
    crate::verb::keeper::log();
    let (step, outbound) = (step.clone(), dir.outbound());
    // The network crate joins namespaces in threads of its own and waits for them: not on a runtime's thread.
    let done = tokio::task::spawn_blocking(move || match step {
        YardNet::Setup { no_redirect } => {
            let redirect = if no_redirect { Redirect::Never } else { Redirect::WherePossible };
            let way = yard::setup(RELAY_PORT, redirect).map_err(failed)?;
            tracing::info!(?way, "yard's network stands");
            let text = serde_json::to_vec(&way).map_err(|error| Failure::Output(error.into()))?;
            write_private(&outbound, &text).map_err(|source| Failure::Folder { path: outbound, source })
        }
        YardNet::Attach { name, index, pid } => {
            tracing::info!(node = %name, index, pid, "cable");
            NodeNumber::new(index).map_or(Ok(()), |number| yard::attach_node(number, pid)).map_err(failed)
        }
        YardNet::Detach { index, .. } => NodeNumber::new(index).map_or(Ok(()), yard::detach_node).map_err(failed),
    });
    done.await.map_err(|error| Failure::Machine(error.to_string()))?
}

fn failed(error: NetError) -> Failure {
    Failure::Machine(error.explain())
}
