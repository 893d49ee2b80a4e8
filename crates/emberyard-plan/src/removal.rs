//! Which nodes may go: broken ones at once, empty ones after a while, never below the minimum.

use crate::room::{Bin, Origin};
use crate::{Keeper, Node, NodeState, Plan, Pod, PodId, Policy, Reason, Standing, Step, World};
use emberyard_model::{NodeName, Timestamp};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Removes nodes that never came up, do not answer, or were on their way out and are empty. They count no more.
/// What its owner keeps stays, whatever its state.
pub(crate) fn broken<'a>(world: &'a World, policy: &Policy, now: Timestamp, plan: &mut Plan) -> Vec<&'a NodeName> {
    let mut leaving = Vec::new();
    for node in world.nodes.iter().filter(|node| !node.keep) {
        let name = &node.name;
        let (due, reason) = match node.state {
            NodeState::Ready => continue,
            NodeState::Draining if !world.is_empty_node(name) => continue,
            NodeState::Draining => (now, Reason::Drained { node: name.clone() }),
            NodeState::Booting { since } => {
                (since.plus(policy.boot_limit), Reason::BootFailed { node: name.clone(), since })
            }
            NodeState::Dead => (now, Reason::Died { node: name.clone() }),
            NodeState::Lost { since } => (since.plus(policy.lost_limit), Reason::GivenUp { node: name.clone(), since }),
        };
        if due > now {
            plan.wake_at(due);
            continue;
        }
        plan.steps.push(Step::Remove { node: name.clone() });
        plan.reasons.push(reason);
        leaving.push(name);
    }
    leaving
}

/// Removes empty nodes whose time has come, the youngest first. Those on whose room a pending pod counts stay:
/// they would have to be bought again.
pub(crate) fn empty(world: &World, policy: &Policy, wanted: &BTreeMap<&str, &PodId>, now: Timestamp, plan: &mut Plan) {
    let mut count = world.nodes.iter().filter(|node| matches!(node.state, NodeState::Ready)).count()
        + world.nodes.iter().filter(|node| booting_well(node, policy, now)).count()
        + plan.added() as usize;
    let mut idle: Vec<&Node> = world.nodes.iter().filter(|node| matches!(node.state, NodeState::Ready)).collect();
    idle.sort_by_key(|node| (Reverse(node.created), Reverse((node.name.as_str().len(), &node.name))));
    for node in idle {
        let mut others = world.pods_on(&node.name).filter(|pod| pod.standing != Standing::Daemon).peekable();
        if others.peek().is_some() {
            plan.reasons.extend(kept_without_work(node, others));
            continue;
        }
        let Some(since) = node.empty_since else { continue };
        let keep = |because| Reason::Keeping { node: node.name.clone(), because };
        let until = since.plus(policy.idle_for);
        if node.keep {
            plan.reasons.push(keep(Keeper::Owner));
        } else if count <= policy.min as usize {
            plan.reasons.push(keep(Keeper::Minimum(policy.min)));
        } else if until > now {
            plan.wake_at(until);
            plan.reasons.push(Reason::Idle { node: node.name.clone(), since, until });
            count -= 1; // it is on its way: what stays for the minimum is told of the others
        } else if let Some(&pod) = wanted.get(node.name.as_str()) {
            plan.reasons.push(keep(Keeper::Pending(pod.clone())));
        } else if let Some(pod) = about_to_be_placed(world, node, policy, now) {
            plan.wake_at(pod.created.plus(policy.idle_for));
            plan.reasons.push(keep(Keeper::Pending(pod.id.clone())));
        } else {
            count -= 1;
            plan.steps.push(Step::Remove { node: node.name.clone() });
            plan.reasons.push(Reason::Removing { node: node.name.clone(), since });
        }
    }
}

fn booting_well(node: &Node, policy: &Policy, now: Timestamp) -> bool {
    matches!(node.state, NodeState::Booting { since } if since.plus(policy.boot_limit) > now)
}

/// Why a node with these pods stays, if none of them is work (which needs no word).
fn kept_without_work<'a>(node: &Node, pods: impl Iterator<Item = &'a Pod>) -> Option<Reason> {
    let mut because = None;
    for pod in pods {
        match &pod.standing {
            Standing::Kept(why) => because = Some(Keeper::Pod(pod.id.clone(), why.clone())),
            Standing::Work | Standing::Daemon => return None,
        }
    }
    because.map(|because| Reason::Keeping { node: node.name.clone(), because })
}

/// A pod so new that the scheduler may be putting it here this moment, whatever other node the plan had in mind.
fn about_to_be_placed<'a>(world: &'a World, node: &Node, policy: &Policy, now: Timestamp) -> Option<&'a Pod> {
    let bin = Bin::of_node(node, Origin::Ready, world);
    let fresh = |pod: &&Pod| {
        pod.node.is_none() && pod.waits_for.is_none() && pod.created.plus(policy.idle_for) > now && bin.takes(pod)
    };
    world.pods.iter().filter(fresh).max_by_key(|pod| (pod.created, Reverse(&pod.id)))
}
