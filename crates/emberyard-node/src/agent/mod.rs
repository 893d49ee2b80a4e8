//! The agent of one node.

mod disk;
mod events;
mod files;
mod gates;
mod images;
mod jump;
mod limits;
mod manager;
mod memory;
mod node;
mod objects;
mod pod;
mod reclaim;
mod register;
mod status;

pub(crate) use memory::used as memory_used;
pub(crate) use node::Node;
pub use pod::CHECKPOINT_FORMAT;
pub(crate) use pod::{Message, log_file};

use crate::config::AgentConfig;
use crate::dns::LocalPods;
use crate::error::AgentError;
use crate::kubelet::{self, Registry};
use crate::net::address::CLUSTER_DNS;
use crate::net::ipam::Ipam;
use crate::net::node as node_net;
use crate::tasks::Tasks;
use crate::{cluster, dns, service};
use emberyard_client::Client;
use emberyard_image::Store;
use emberyard_sandbox::NodeHolder;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

/// Runs the agent of one node until `config.shutdown` is cancelled. Pods keep running when it returns.
///
/// # Errors
/// [`AgentError`] when the node cannot be set up: unreadable kubeconfig or certificates, no network, port taken.
pub async fn run(config: AgentConfig) -> Result<(), AgentError> {
    let tasks = Tasks::default();
    let shutdown = config.shutdown.clone();
    let started = start(config, &tasks).await;
    if started.is_ok() {
        shutdown.cancelled().await;
    }
    tasks.end();
    started
}

async fn start(config: AgentConfig, tasks: &Tasks) -> Result<(), AgentError> {
    let files = |path: &Path, source| AgentError::Files { path: path.to_owned(), source };
    for folder in ["pods", "hostpath"] {
        let path = config.dir.join(folder);
        std::fs::create_dir_all(&path).map_err(|e| files(&path, e))?;
    }
    let number = config.number;
    let refused = |source| AgentError::Network { node: config.node_name.to_string(), source };
    blocking(move || {
        node_net::setup(number)?;
        node_net::add_service_address(CLUSTER_DNS)
    })
    .await
    .map_err(refused)?;
    let holder = NodeHolder::adopt(&config.dir)
        .map_err(|e| files(&config.dir.join("holder.json"), std::io::Error::other(e.to_string())))?
        .ok_or_else(|| files(&config.dir.join("holder.json"), std::io::ErrorKind::NotFound.into()))?;
    let (client, network) = (connect(&config.kubeconfig).await?, connect(&config.network_kubeconfig).await?);
    let store = Store::open(&config.image_store).map_err(|e| AgentError::Images { reason: e.to_string() })?;
    let view = cluster::follow(&client, &network, tasks);
    let local_pods = Arc::new(RwLock::new(LocalPods::default()));
    let listen = |address: String| move |source| AgentError::Listen { address, source };
    dns::serve(CLUSTER_DNS, view.clone(), local_pods.clone(), tasks)
        .await
        .map_err(listen(format!("{CLUSTER_DNS}:53")))?;
    tasks.spawn(service::serve(view.clone(), tasks.clone()));
    let events = events::start(&config, client.clone(), tasks);
    let registry = Registry::default();
    let node = Arc::new(Node {
        ipam: Mutex::new(Ipam::new(number)),
        client,
        store,
        holder,
        cluster: view,
        local_pods,
        events,
        registry: registry.clone(),
        figures: limits::Figures::default(),
        tasks: tasks.clone(),
        config,
    });
    kubelet::serve(node.clone(), registry, tasks).await?;
    tasks.spawn(register::keep(node.clone()));
    tasks.spawn(memory::keep(node.clone()));
    tasks.spawn(reclaim::keep(node.clone()));
    tasks.spawn(limits::keep(node.clone()));
    tasks.spawn(disk::keep(node.clone()));
    tasks.spawn(gates::keep(node.clone()));
    tasks.spawn(manager::run(node));
    Ok(())
}

async fn connect(kubeconfig: &Path) -> Result<Client, AgentError> {
    let unusable = |e: String| AgentError::Kubeconfig { path: kubeconfig.to_owned(), reason: e };
    Client::from_kubeconfig(kubeconfig).await.map_err(|e| unusable(e.to_string()))
}

/// Runs blocking work; a panic in it counts as a dead thread.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::error::NetError> + Send + 'static,
) -> Result<T, crate::error::NetError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(crate::error::NetError::Thread))
}
