//! The seam: what every provider of nodes promises.

use crate::error::ProviderError;
use emberyard_model::{NodeName, Resources};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::pin::Pin;

/// A provider's answer, later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// A node that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRequest {
    /// The asker's name for this request. Asking twice with one id makes one node.
    pub id: String,
    /// Name of the shape or instance type, for people and bills.
    pub shape: String,
    /// What the node must offer to pods.
    pub resources: Resources,
    /// Labels that the node must carry.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// How far a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NodeState {
    /// Asked for; it has not joined yet.
    Booting,
    /// Its machine runs. Whether it is Ready, the cluster knows.
    Running,
    /// It will not come back by itself; terminating it frees its name.
    Dead,
}

/// A node that a provider holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeClaim {
    /// The name under which it joins the cluster.
    pub name: NodeName,
    /// The request that made it; empty for nodes that were there before anyone asked.
    pub request: String,
    /// Name of its shape.
    pub shape: String,
    /// What it offers to pods.
    pub resources: Resources,
    /// How far it is.
    pub state: NodeState,
}

/// Gives and takes nodes.
///
/// Each call may be repeated after a failure without harm: `launch` by the request's id, `terminate` by the node's
/// name (one that is gone is no error). `list` is the truth; whoever was cut off before an answer reads it there.
pub trait Provider: Send + Sync {
    /// Its name, for messages and node labels.
    fn name(&self) -> &str;
    /// Begins to make a node and returns at once with its name.
    fn launch(&self, request: NodeRequest) -> Answer<'_, NodeClaim>;
    /// Takes a node away. Its pods are the caller's business.
    fn terminate(&self, node: NodeName) -> Answer<'_, ()>;
    /// Every node that exists or is being made, in order of name.
    fn list(&self) -> Answer<'_, Vec<NodeClaim>>;
}
