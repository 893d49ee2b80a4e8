//! `node-agent`: the agent of one node, in a process that stands in the node's network namespace.

use crate::error::Failure;
use crate::keeper::NodeFile;
use crate::yard::clock::clock;
use crate::yard::{Settings, YardDir};
use emberyard_model::{Explained, NodeName};
use emberyard_node::net::address::NodeNumber;
use emberyard_node::net::yard::Outbound;
use emberyard_node::{AgentConfig, ServingIdentity};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Kubernetes' own default for pods on one node.
pub const MOST_PODS: u32 = 110;

/// Runs until told to stop; pods go on.
pub async fn run(dir: YardDir, name: NodeName) -> Result<(), Failure> {
    crate::verb::keeper::log();
    let folder = dir.node(&name);
    let wrong = |source| Failure::Folder { path: folder.join("node.json"), source };
    let text = std::fs::read(folder.join("node.json")).map_err(wrong)?;
    let file: NodeFile = serde_json::from_slice(&text).map_err(|error| wrong(error.into()))?;
    let number =
        NodeNumber::new(file.index).ok_or_else(|| Failure::Usage(format!("node number {} is too high", file.index)))?;
    let images = Settings::load(&dir)?.map_or_else(|| dir.images(), |settings| settings.images(&dir));
    let shutdown = CancellationToken::new();
    let config = AgentConfig {
        node_name: name,
        number,
        capacity: crate::launcher::resources(&file.shape),
        labels: BTreeMap::from([("emberyard.dev/provider".to_owned(), "local".to_owned())]),
        annotations: BTreeMap::new(),
        kubeconfig: folder.join("kubeconfig"),
        network_kubeconfig: folder.join("network-kubeconfig"),
        image_store: images,
        serving: ServingIdentity {
            certificate: folder.join("serving.crt"),
            key: folder.join("serving.key"),
            client_ca: folder.join("ca.crt"),
        },
        environment: match crate::yard::outbound(&dir) {
            Some(Outbound::Door { .. }) => emberyard_node::relay::environment(),
            Some(Outbound::Redirected) | None => BTreeMap::new(),
        },
        mounts: file.mounts.into_iter().map(|(inside, host)| (inside.display().to_string(), host)).collect(),
        dir: folder,
        clock: Arc::new(clock(&dir)),
        shutdown: shutdown.clone(),
    };
    crate::machine::cancel_on_terminate(shutdown)?;
    emberyard_node::run(config).await.map_err(|error| Failure::Machine(error.explain()))
}
