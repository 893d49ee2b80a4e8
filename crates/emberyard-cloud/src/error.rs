//! Why a provider did not give or take a node.

use emberyard_model::{Code, Explained, NodeName};

/// A provider's refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The provider's own limit on nodes is reached.
    #[error("the fleet has {running} of at most {limit} nodes")]
    Full {
        /// Nodes there are.
        running: u32,
        /// Nodes allowed.
        limit: u32,
    },
    /// Nothing of this shape can be had now; another shape or a later try may succeed.
    #[error("no room for a node of shape {shape}: {message}")]
    NoCapacity {
        /// The shape asked for.
        shape: String,
        /// What the provider said.
        message: String,
    },
    /// The provider refuses to take this node away.
    #[error("the node {node} can't be removed: {message}")]
    Kept {
        /// The node.
        node: NodeName,
        /// What the provider said.
        message: String,
    },
    /// The provider could not be reached or failed; nothing is known about the outcome.
    #[error("the node provider did not answer: {0}")]
    Unreachable(String),
}

impl ProviderError {
    /// Whether the same call can succeed later without a change of the request.
    pub fn is_passing(&self) -> bool {
        !matches!(self, Self::Kept { .. })
    }
}

const FULL: Code = Code {
    id: "EY-CLD-001",
    what: "The fleet has as many nodes as it may have.",
    why: "The largest number of nodes was set at `up` and is reached.",
    cure: "Raise it: `emberyard up --nodes MIN..MAX`, or stop sessions that are not needed.",
};
const NO_CAPACITY: Code = Code {
    id: "EY-CLD-002",
    what: "No node of the wanted shape can be had.",
    why: "The machine or the cloud has no room for it now.",
    cure: "Choose a smaller shape (`--node-shape`), or wait.",
};
const KEPT: Code = Code {
    id: "EY-CLD-003",
    what: "A node can't be removed.",
    why: "The provider protects it.",
    cure: "Lift the protection there, or leave the node.",
};
const UNREACHABLE: Code = Code {
    id: "EY-CLD-004",
    what: "The node provider did not answer.",
    why: "The keeper of this machine, or the cloud's API, is not running or not reachable.",
    cure: "Look at `emberyard status`; the fleet tries again by itself.",
};

/// All codes of this crate.
pub const CODES: &[Code] = &[FULL, NO_CAPACITY, KEPT, UNREACHABLE];

impl Explained for ProviderError {
    fn code(&self) -> Code {
        match self {
            Self::Full { .. } => FULL,
            Self::NoCapacity { .. } => NO_CAPACITY,
            Self::Kept { .. } => KEPT,
            Self::Unreachable(_) => UNREACHABLE,
        }
    }
}
