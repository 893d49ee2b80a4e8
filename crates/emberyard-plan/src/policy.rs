//! What the owner of the fleet allows.

use crate::seconds;
use emberyard_model::fit::{Demand, NodeMatch, Taint};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A kind of node that can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Its name (`local`, an instance type).
    pub name: String,
    /// What pods may use of it.
    pub allocatable: Demand,
    /// Labels its nodes will have.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints its nodes will have.
    #[serde(default)]
    pub taints: Vec<Taint>,
}

impl Shape {
    /// As selectors see a node of this shape. The name of a node to come is not known, so nothing can select it.
    pub fn matching(&self) -> NodeMatch<'_> {
        NodeMatch { name: "", labels: &self.labels }
    }
}

/// The limits of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Never fewer nodes.
    pub min: u32,
    /// Never more nodes.
    pub max: u32,
    /// Kinds of nodes, the preferred first.
    pub shapes: Vec<Shape>,
    /// A gang of unknown size is complete when this long no new pod came.
    #[serde(with = "seconds", default = "two_seconds")]
    pub gang_window: Duration,
    /// An empty node stays this long, in case work comes back.
    #[serde(with = "seconds", default = "ten_seconds")]
    pub idle_for: Duration,
    /// A node that is not ready after this long never will be.
    #[serde(with = "seconds", default = "five_minutes")]
    pub boot_limit: Duration,
    /// A node that has not answered for this long is given up.
    #[serde(with = "seconds", default = "half_a_minute")]
    pub lost_limit: Duration,
}

fn two_seconds() -> Duration {
    Duration::from_secs(2)
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

fn five_minutes() -> Duration {
    Duration::from_mins(5)
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

impl Policy {
    /// Between `min` and `max` nodes of one shape, with the usual times: gang window 2 s, idle 10 s, boot limit 5 min, lost limit 30 s.
    pub fn of_one_shape(min: u32, max: u32, shape: Shape) -> Self {
        Self {
            min,
            max,
            shapes: vec![shape],
            gang_window: two_seconds(),
            idle_for: ten_seconds(),
            boot_limit: five_minutes(),
            lost_limit: half_a_minute(),
        }
    }
}
