//! What was decided.

use crate::{GangId, Reason};
use emberyard_model::{NodeName, Timestamp};
use serde::{Deserialize, Serialize};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Get nodes.
    Add {
        /// The name to give, where a certain node is wanted; else the provider names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<NodeName>,
        /// Name of the shape.
        shape: String,
        /// How many.
        count: u32,
        /// The gang they are for, where it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_gang: Option<GangId>,
    },
    /// Take a node out of service: cordon it, see that it is still empty, then end it. Said again until it is gone.
    Remove {
        /// Which.
        node: NodeName,
    },
}

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// What to do, in this order.
    pub steps: Vec<Step>,
    /// Why, and why not more.
    pub reasons: Vec<Reason>,
    /// When to decide again at the latest, if nothing happens before.
    pub wake: Option<Timestamp>,
}

impl Plan {
    /// How many nodes it adds.
    pub fn added(&self) -> u32 {
        self.steps.iter().map(|step| if let Step::Add { count, .. } = step { *count } else { 0 }).sum()
    }

    /// Which nodes it removes.
    pub fn removed(&self) -> impl Iterator<Item = &NodeName> {
        self.steps.iter().filter_map(|step| if let Step::Remove { node } = step { Some(node) } else { None })
    }

    pub(crate) fn wake_at(&mut self, time: Timestamp) {
        self.wake = Some(self.wake.map_or(time, |earlier| earlier.min(time)));
    }
}
