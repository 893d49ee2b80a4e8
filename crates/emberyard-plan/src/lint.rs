//! Contradictions in a plan: what no correct planner may say.

use crate::{Plan, Policy, Reason, Standing, Step, World};
use emberyard_model::NodeName;
use std::collections::BTreeSet;
use std::fmt;

/// Something in a plan that cannot be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// Removes a node that is not there.
    UnknownNode(NodeName),
    /// Removes a node twice.
    Twice(NodeName),
    /// Removes a node with work although nothing is wrong with it.
    Working(NodeName),
    /// Adds a shape that the policy does not have.
    UnknownShape(String),
    /// Adds no node at all.
    AddsNothing(String),
    /// More nodes than allowed.
    AboveMaximum(usize),
    /// Removes empty nodes until too few are left.
    BelowMinimum(usize),
    /// A step that no reason speaks of.
    Unexplained(Step),
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownNode(node) => write!(f, "removes {node}, which does not exist"),
            Self::Twice(node) => write!(f, "removes {node} twice"),
            Self::Working(node) => write!(f, "removes {node}, which has work"),
            Self::UnknownShape(shape) => write!(f, "adds nodes of shape {shape}, which the policy does not have"),
            Self::AddsNothing(shape) => write!(f, "adds no node of shape {shape}"),
            Self::AboveMaximum(count) => write!(f, "leads to {count} nodes, more than allowed"),
            Self::BelowMinimum(count) => write!(f, "leads to {count} nodes, fewer than wanted"),
            Self::Unexplained(step) => write!(f, "gives no reason for {step:?}"),
        }
    }
}

/// Everything in the plan that contradicts the world, the policy or itself. Empty for a correct plan.
pub fn lint(plan: &Plan, world: &World, policy: &Policy) -> Vec<Contradiction> {
    let mut found = Vec::new();
    let mut removed = BTreeSet::new();
    let mut given_up = BTreeSet::new();
    let mut explained_removals = BTreeSet::new();
    let mut explained_shapes = BTreeSet::new();
    for reason in &plan.reasons {
        match reason {
            Reason::Removing { node, .. } => drop(explained_removals.insert(node)),
            Reason::Drained { node }
            | Reason::BootFailed { node, .. }
            | Reason::GivenUp { node, .. }
            | Reason::Died { node } => {
                explained_removals.insert(node);
                given_up.insert(node);
            }
            Reason::Adding { shape, .. } => drop(explained_shapes.insert(shape.as_str())),
            Reason::BelowMinimum { .. } => explained_shapes.extend(policy.shapes.first().map(|one| one.name.as_str())),
            _ => {}
        }
    }
    for step in &plan.steps {
        match step {
            Step::Remove { node } => {
                if !removed.insert(node) {
                    found.push(Contradiction::Twice(node.clone()));
                }
                if !world.nodes.iter().any(|one| &one.name == node) {
                    found.push(Contradiction::UnknownNode(node.clone()));
                }
                let works = world.pods_on(node).any(|pod| pod.standing != Standing::Daemon);
                if works && !given_up.contains(node) {
                    found.push(Contradiction::Working(node.clone()));
                }
                if !explained_removals.contains(node) {
                    found.push(Contradiction::Unexplained(step.clone()));
                }
            }
            Step::Add { shape, count, .. } => {
                if !policy.shapes.iter().any(|one| &one.name == shape) {
                    found.push(Contradiction::UnknownShape(shape.clone()));
                }
                if *count == 0 {
                    found.push(Contradiction::AddsNothing(shape.clone()));
                }
                if !explained_shapes.contains(shape.as_str()) {
                    found.push(Contradiction::Unexplained(step.clone()));
                }
            }
        }
    }
    let (before, min, max) = (world.nodes.len(), policy.min as usize, policy.max as usize);
    let after = (before + plan.added() as usize).saturating_sub(removed.len());
    if plan.added() > 0 && after > max {
        found.push(Contradiction::AboveMaximum(after));
    }
    if removed.len() > given_up.len() && after < min {
        found.push(Contradiction::BelowMinimum(after));
    }
    found
}
