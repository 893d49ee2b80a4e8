//! What the planner knows when it decides.

use emberyard_model::fit::{Demand, NodeMatch, NodeSelector, Taint, Toleration};
use emberyard_model::{NodeName, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Everything that is, at one moment. Finished pods are left out, unless something asks to keep them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct World {
    /// Nodes that exist or boot.
    pub nodes: Vec<Node>,
    /// Pods, bound or pending.
    pub pods: Vec<Pod>,
    /// How many executors an application's driver says it wants, where it was asked.
    #[serde(default)]
    pub expected: BTreeMap<GangId, u32>,
    /// Applications whose driver still starts: it will say soon how many it wants.
    #[serde(default)]
    pub starting: BTreeSet<GangId>,
}

/// Where a node stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeState {
    /// Asked for, not ready yet.
    Booting {
        /// When it was asked for.
        since: Timestamp,
    },
    /// Takes pods.
    Ready,
    /// On its way out; takes no pods.
    Draining,
    /// Does not answer.
    Lost {
        /// Since when.
        since: Timestamp,
    },
    /// Its provider says that it is gone: nobody will ever answer.
    Dead,
}

/// A node, or the claim of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// Where it stands.
    pub state: NodeState,
    /// What pods may use of it.
    pub allocatable: Demand,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints.
    #[serde(default)]
    pub taints: Vec<Taint>,
    /// When it was made.
    pub created: Timestamp,
    /// Since when no pod has needed it; see [`World::remember`].
    #[serde(default)]
    pub empty_since: Option<Timestamp>,
    /// Never to be removed (annotation `emberyard.dev/keep`).
    #[serde(default)]
    pub keep: bool,
}

impl Node {
    /// As selectors see it.
    pub fn matching(&self) -> NodeMatch<'_> {
        NodeMatch { name: self.name.as_str(), labels: &self.labels }
    }
}

/// A pod's namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PodId {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl fmt::Display for PodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Pods that are of use only together: the executors of one application. Written `namespace/application`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GangId(pub String);

impl fmt::Display for GangId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a pod means for the life of its node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Standing {
    /// Work: its node stays as long as it runs.
    #[default]
    Work,
    /// One a node, made for the node: goes with it.
    Daemon,
    /// Must not lose its node, finished or not; the text says why.
    Kept(String),
}

/// A pod that runs, or waits for a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    /// Namespace and name.
    pub id: PodId,
    /// When it was made.
    pub created: Timestamp,
    /// Where it runs; none while it waits.
    #[serde(default)]
    pub node: Option<NodeName>,
    /// What it asks for.
    pub demand: Demand,
    /// Labels its node must have.
    #[serde(default)]
    pub selector: BTreeMap<String, String>,
    /// Node affinity it requires.
    #[serde(default)]
    pub affinity: Option<NodeSelector>,
    /// Taints it stands.
    #[serde(default)]
    pub tolerations: Vec<Toleration>,
    /// Two pods that share one of these never share a node (host ports, anti-affinity by host name).
    #[serde(default)]
    pub apart: BTreeSet<String>,
    /// Its gang.
    #[serde(default)]
    pub gang: Option<GangId>,
    /// What it means for its node.
    #[serde(default)]
    pub standing: Standing,
    /// What it waits for that no node can give (a scheduling gate, a volume).
    #[serde(default)]
    pub waits_for: Option<String>,
}

impl World {
    /// The pods on a node.
    pub fn pods_on<'a>(&'a self, node: &'a NodeName) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().filter(move |pod| pod.node.as_ref() == Some(node))
    }

    /// Whether nothing on the node would be lost with it.
    pub fn is_empty_node(&self, node: &NodeName) -> bool {
        self.pods_on(node).all(|pod| pod.standing == Standing::Daemon)
    }

    /// Carries over from the world before since when each node has been empty; a node that is empty for the first time is so since `now`.
    pub fn remember(&mut self, before: &World, now: Timestamp) {
        let known: BTreeMap<&NodeName, Option<Timestamp>> =
            before.nodes.iter().map(|node| (&node.name, node.empty_since)).collect();
        let empty: Vec<bool> = self
            .nodes
            .iter()
            .map(|node| matches!(node.state, NodeState::Ready | NodeState::Draining) && self.is_empty_node(&node.name))
            .collect();
        for (node, empty) in self.nodes.iter_mut().zip(empty) {
            let since = known.get(&node.name).copied().flatten().or(node.empty_since).unwrap_or(now);
            node.empty_since = empty.then_some(since);
        }
    }
}
