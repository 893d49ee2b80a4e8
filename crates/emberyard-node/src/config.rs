//! What the agent of one node is told at its start.

use crate::net::address::NodeNumber;
use emberyard_model::{NodeName, Resources, Timestamp};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Reads the clock; an argument so that tests own time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Files of the kubelet port's TLS identity, PEM.
#[derive(Debug, Clone)]
pub struct ServingIdentity {
    /// Certificate chain with the node's IP and name as subject alternative names.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authority that client certificates must come from.
    pub client_ca: PathBuf,
}

/// Everything one agent needs. The process must already stand in the yard's user namespace and the node's network
/// namespace.
pub struct AgentConfig {
    /// The node's name, as registered.
    pub node_name: NodeName,
    /// The node's number: fixes its IP and pod CIDR.
    pub number: NodeNumber,
    /// What the node offers; `pods` at most 110 is usual.
    pub capacity: Resources,
    /// Labels beside the well-known ones (hostname, os, arch), which the agent adds.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the Node object, for example the mode the yard runs in.
    pub annotations: BTreeMap<String, String>,
    /// `nodes/NAME` of the yard: `pods/` and `hostpath/` are made below it.
    pub dir: PathBuf,
    /// Credentials of `system:node:NAME`.
    pub kubeconfig: PathBuf,
    /// Credentials of one that may read all pods, namespaces and network policies.
    pub network_kubeconfig: PathBuf,
    /// The yard's image store.
    pub image_store: PathBuf,
    /// TLS identity of the kubelet port 10250.
    pub serving: ServingIdentity,
    /// Folders of the machine that hostPath and local volumes may name: path in pod space (a prefix, absolute) to
    /// path on the machine. Any other hostPath is relative to the node's own `hostpath/` folder.
    pub mounts: BTreeMap<String, PathBuf>,
    /// Variables that every container is given, unless its image or its pod says otherwise.
    pub environment: BTreeMap<String, String>,
    /// The clock.
    pub clock: Clock,
    /// Ends the agent. Pods go on.
    pub shutdown: CancellationToken,
}
