//! Why something was decided, or not: values that read as sentences.

use crate::{GangId, PodId};
use emberyard_model::fit::Demand;
use emberyard_model::{NodeName, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What holds an empty or idle node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keeper {
    /// The minimum of the fleet.
    Minimum(u32),
    /// Its owner said so.
    Owner,
    /// A pod that waits for a node and fits there.
    Pending(PodId),
    /// A pod that asks to keep its node, and why.
    Pod(PodId, String),
}

/// One reason. Its `Display` is the sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The gang may still grow.
    Gathering {
        /// Which.
        gang: GangId,
        /// Pods so far.
        seen: u32,
        /// When it counts as complete.
        until: Timestamp,
    },
    /// No node is needed: there is room.
    Fits {
        /// The gang, or the single pods when none.
        gang: Option<GangId>,
        /// Pods that find room on nodes that are ready.
        ready: u32,
        /// Pods that find room on nodes that boot.
        booting: u32,
    },
    /// Nodes are added.
    Adding {
        /// For which gang; single pods when none.
        gang: Option<GangId>,
        /// How many nodes.
        count: u32,
        /// Of which shape.
        shape: String,
        /// Pods that find room on nodes that are there or boot.
        elsewhere: u32,
        /// Pods for the new nodes.
        pods: u32,
    },
    /// More nodes would be needed than are allowed.
    AtMaximum {
        /// Whose pods stay pending; single pods when none.
        gang: Option<GangId>,
        /// How many pods stay pending.
        pods: u32,
        /// The limit.
        max: u32,
    },
    /// No node that can be had would hold the pod.
    NeverFits {
        /// An example.
        pod: PodId,
        /// How many pods are like it.
        alike: u32,
        /// What it asks for.
        asked: Demand,
        /// The shape that comes nearest; none when there is no shape at all.
        nearest: Option<String>,
        /// The largest request of this pod's kind that the shape holds.
        holds: Demand,
        /// What stands in the way, beside or instead of amounts.
        lacks: Vec<String>,
    },
    /// The pod waits for something else than room.
    Waiting {
        /// Which.
        pod: PodId,
        /// For what.
        what: String,
    },
    /// The fleet is smaller than its minimum.
    BelowMinimum {
        /// Nodes there are.
        have: u32,
        /// Nodes there must be.
        min: u32,
    },
    /// An empty node waits for its end.
    Idle {
        /// Which.
        node: NodeName,
        /// Empty since.
        since: Timestamp,
        /// Removed at.
        until: Timestamp,
    },
    /// A node is removed because it is empty.
    Removing {
        /// Which.
        node: NodeName,
        /// Empty since.
        since: Timestamp,
    },
    /// A node that is being taken out and is empty may go.
    Drained {
        /// Which.
        node: NodeName,
    },
    /// A node that never became ready is removed.
    BootFailed {
        /// Which.
        node: NodeName,
        /// Asked for at.
        since: Timestamp,
    },
    /// A node that does not answer is given up.
    GivenUp {
        /// Which.
        node: NodeName,
        /// Silent since.
        since: Timestamp,
    },
    /// A node that has died is removed.
    Died {
        /// Which.
        node: NodeName,
    },
    /// A node without work stays.
    Keeping {
        /// Which.
        node: NodeName,
        /// Because of.
        because: Keeper,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gathering { gang, seen, until } => {
                write!(f, "{gang} has {seen} pods so far and may still grow: decided when none has come until {until}.")
            }
            Self::Fits { gang, ready, booting: 0 } => {
                write!(
                    f,
                    "No node is added for {}: there is room for {} on nodes that are ready.",
                    who(gang.as_ref()),
                    pods(*ready)
                )
            }
            Self::Fits { gang, ready, booting } => write!(
                f,
                "No node is added for {}: there is room for {} on nodes that are ready and for {} on nodes that boot.",
                who(gang.as_ref()),
                pods(*ready),
                pods(*booting)
            ),
            Self::Adding { gang, count, shape, elsewhere, pods: new } => write!(
                f,
                "{} of shape {shape} for {} of {}: {} of it found room on nodes that are there or boot.",
                if *count == 1 { "1 node is added".to_owned() } else { format!("{count} nodes are added") },
                pods(*new),
                who(gang.as_ref()),
                pods(*elsewhere)
            ),
            Self::AtMaximum { gang, pods: left, max } => write!(
                f,
                "{} of {} must wait: the fleet may have {max} nodes. Allow more nodes, or ask for fewer or smaller pods.",
                pods(*left),
                who(gang.as_ref())
            ),
            Self::NeverFits { pod, alike, asked, nearest, holds, lacks } => {
                let others = alike.saturating_sub(1);
                write!(f, "{pod}")?;
                if others > 0 {
                    write!(f, " and {others} like it")?;
                }
                write!(f, " can never run: ")?;
                match nearest {
                    None => write!(f, "the fleet has no shape of nodes.")?,
                    Some(shape) if lacks.is_empty() => {
                        write!(
                            f,
                            "asked are {}; of that a node of the nearest shape, {shape}, holds {}. Ask for at most that.",
                            amounts(asked),
                            amounts(holds)
                        )?;
                    }
                    Some(shape) => write!(f, "a node of the nearest shape, {shape}, {}.", lacks.join(", and "))?,
                }
                Ok(())
            }
            Self::Waiting { pod, what } => write!(f, "{pod} waits for {what}, not for a node."),
            Self::BelowMinimum { have, min } => write!(f, "The fleet has {have} nodes and must have {min}."),
            Self::Idle { node, since, until } => {
                write!(f, "{node} is empty since {since} and is removed at {until} if nothing comes.")
            }
            Self::Removing { node, since } => write!(f, "{node} is removed: empty since {since}."),
            Self::Drained { node } => write!(f, "{node} is removed: it was to go and is empty now."),
            Self::BootFailed { node, since } => write!(f, "{node} is removed: asked for at {since}, never ready."),
            Self::GivenUp { node, since } => write!(f, "{node} is removed: no answer since {since}."),
            Self::Died { node } => write!(f, "{node} is removed: it has died."),
            Self::Keeping { node, because } => match because {
                Keeper::Minimum(min) => write!(f, "{node} is empty and stays: the fleet keeps {min} nodes."),
                Keeper::Owner => write!(f, "{node} is empty and stays: it is marked to be kept."),
                Keeper::Pending(pod) => write!(f, "{node} is empty and stays: {pod} waits for a node and fits there."),
                Keeper::Pod(pod, why) => write!(f, "{node} stays without work: {pod} keeps it ({why})."),
            },
        }
    }
}

fn who(gang: Option<&GangId>) -> String {
    gang.map_or_else(|| "single pods".to_owned(), |gang| gang.0.clone())
}

fn pods(count: u32) -> String {
    if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") }
}

pub(crate) fn amounts(demand: &Demand) -> String {
    let mut parts = vec![format!("cpu {}", demand.base.cpu), format!("memory {}", demand.base.memory)];
    parts.extend(demand.other.iter().map(|(name, amount)| format!("{name} {amount}")));
    parts.join(", ")
}
