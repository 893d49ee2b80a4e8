//! The fleet decision: existing room first, then new nodes, then what may go.

use crate::gang::{Gang, gangs};
use crate::room::{Bin, Origin, decreasing, first_fit};
use crate::{NodeState, Plan, Pod, Policy, Reason, Shape, Step, World, removal};
use emberyard_model::Timestamp;
use emberyard_model::fit::Demand;
use std::collections::BTreeMap;

/// Decides. The same world, policy and time always give the same plan; a plan that was carried out gives a plan without steps.
pub fn plan(world: &World, policy: &Policy, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let leaving = removal::broken(world, policy, now, &mut plan);
    let count = u32::try_from(world.nodes.len() - leaving.len()).unwrap_or(u32::MAX);
    let mut buyer = Buyer { policy, bins: room(world, &leaving), may_add: policy.max.saturating_sub(count) };
    for pod in world.pods.iter().filter(|pod| pod.node.is_none()) {
        if let Some(what) = &pod.waits_for {
            plan.reasons.push(Reason::Waiting { pod: pod.id.clone(), what: what.clone() });
        }
    }
    let gangs = gangs(world, policy, now);
    // Pods that are announced stand in the order behind those that are there.
    let announced: Vec<Vec<Pod>> = gangs.iter().map(|gang| announced(gang, policy)).collect();
    for (gang, announced) in gangs.iter().zip(&announced) {
        buyer.admit(gang, announced, &mut plan);
    }
    let staying = world
        .nodes
        .iter()
        .filter(|node| !leaving.contains(&&node.name) && !matches!(node.state, NodeState::Draining))
        .count();
    let have = u32::try_from(staying).unwrap_or(u32::MAX).saturating_add(plan.added());
    let missing = policy.min.saturating_sub(have).min(buyer.may_add);
    if missing > 0
        && let Some(shape) = policy.shapes.first()
    {
        plan.steps.push(Step::Add { name: None, shape: shape.name.clone(), count: missing, for_gang: None });
        plan.reasons.push(Reason::BelowMinimum { have, min: policy.min });
    }
    let wanted = buyer.bins.iter().filter_map(|bin| Some((bin.name(), &bin.wanted_by?.id))).collect();
    removal::empty(world, policy, &wanted, now, &mut plan);
    plan
}

/// Room on nodes that stay: ready ones that work, then ready ones that are empty, then those that boot.
fn room<'a>(world: &'a World, leaving: &[&emberyard_model::NodeName]) -> Vec<Bin<'a>> {
    let mut nodes: Vec<_> = world
        .nodes
        .iter()
        .filter(|node| !leaving.contains(&&node.name))
        .filter_map(|node| match node.state {
            NodeState::Ready => Some(((0, world.is_empty_node(&node.name)), node, Origin::Ready)),
            NodeState::Booting { .. } => Some(((1, false), node, Origin::Booting)),
            NodeState::Draining | NodeState::Lost { .. } | NodeState::Dead => None,
        })
        .collect();
    nodes.sort_by(|(a, node_a, _), (b, node_b, _)| {
        (a, node_a.created, &node_a.name).cmp(&(b, node_b.created, &node_b.name))
    });
    nodes.into_iter().map(|(_, node, origin)| Bin::of_node(node, origin, world)).collect()
}

/// Stand-ins for the pods that the driver has announced: copies of the gang's largest.
fn announced(gang: &Gang<'_>, policy: &Policy) -> Vec<Pod> {
    let mut pending = gang.pending.clone();
    decreasing(&mut pending, &policy.shapes);
    let Some(like) = pending.first() else { return Vec::new() };
    // No fleet of this policy holds more: a driver's fantasy must not cost memory.
    let most = policy.max.saturating_mul(1000);
    (0..gang.to_come.min(most)).map(|_| Pod { node: None, ..(*like).clone() }).collect()
}

/// What the pods of one gang came to.
#[derive(Default)]
struct Tally {
    ready: u32,
    booting: u32,
    /// Pods on nodes added for this gang, and how many such nodes, by shape.
    new: BTreeMap<usize, (u32, u32)>,
    /// Pods on nodes added for an earlier gang.
    shared: u32,
    left: u32,
}

struct Buyer<'a> {
    policy: &'a Policy,
    bins: Vec<Bin<'a>>,
    may_add: u32,
}

impl<'a> Buyer<'a> {
    fn admit(&mut self, gang: &Gang<'a>, announced: &'a [Pod], plan: &mut Plan) {
        if let (Some(until), Some(id)) = (gang.open_until, &gang.id) {
            let seen = u32::try_from(gang.pending.len()).unwrap_or(u32::MAX);
            plan.reasons.push(Reason::Gathering { gang: id.clone(), seen, until });
            plan.wake_at(until);
        }
        let (mut pods, never): (Vec<&'a Pod>, Vec<&'a Pod>) =
            gang.pending.iter().copied().chain(announced).partition(|pod| self.can_ever_run(pod));
        plan.reasons.extend(never_fits(&never, &self.policy.shapes));
        decreasing(&mut pods, &self.policy.shapes);
        let before = self.bins.len();
        let mut tally = Tally::default();
        for pod in pods {
            self.place(pod, gang.open_until.is_none(), before, &mut tally);
        }
        say(gang, &tally, self.policy, plan);
    }

    /// Whether a shape, empty, or a node that is there would hold it.
    fn can_ever_run(&self, pod: &Pod) -> bool {
        let shapes = &self.policy.shapes;
        shapes.iter().enumerate().any(|(index, shape)| Bin::of_shape(shape, index).takes(pod))
            || self.bins.iter().any(|bin| bin.takes(pod))
    }

    fn place(&mut self, pod: &'a Pod, may_buy: bool, before: usize, tally: &mut Tally) {
        if let Some(index) = first_fit(&mut self.bins, pod) {
            match self.bins[index].origin {
                Origin::Ready => tally.ready += 1,
                Origin::Booting => tally.booting += 1,
                Origin::New(_) if index < before => tally.shared += 1,
                Origin::New(shape) => tally.new.entry(shape).or_default().0 += 1,
            }
            return;
        }
        let new = self.policy.shapes.iter().enumerate().map(|(index, shape)| Bin::of_shape(shape, index));
        let fitting = new.into_iter().find(|bin| bin.takes(pod));
        match fitting {
            Some(mut bin) if may_buy && self.may_add > 0 => {
                bin.put(pod);
                if let Origin::New(shape) = bin.origin {
                    let entry = tally.new.entry(shape).or_default();
                    *entry = (entry.0 + 1, entry.1 + 1);
                }
                self.may_add -= 1;
                self.bins.push(bin);
            }
            _ => tally.left += 1,
        }
    }
}

/// Steps and reasons of one gang.
fn say(gang: &Gang<'_>, tally: &Tally, policy: &Policy, plan: &mut Plan) {
    let elsewhere = tally.ready + tally.booting + tally.shared;
    for (&shape, &(pods, count)) in &tally.new {
        let shape = policy.shapes[shape].name.clone();
        plan.steps.push(Step::Add { name: None, shape: shape.clone(), count, for_gang: gang.id.clone() });
        plan.reasons.push(Reason::Adding { gang: gang.id.clone(), count, shape, elsewhere, pods });
    }
    if gang.open_until.is_some() {
        return;
    }
    if tally.left > 0 {
        plan.reasons.push(Reason::AtMaximum { gang: gang.id.clone(), pods: tally.left, max: policy.max });
    }
    if tally.new.is_empty() && elsewhere > 0 {
        let booting = tally.booting + tally.shared;
        plan.reasons.push(Reason::Fits { gang: gang.id.clone(), ready: tally.ready, booting });
    }
}

/// One reason for each demand that no shape holds.
fn never_fits(pods: &[&Pod], shapes: &[Shape]) -> Vec<Reason> {
    let mut alike: Vec<(&Pod, u32)> = Vec::new();
    for pod in pods {
        let same = |other: &Pod| {
            (&other.demand, &other.selector, &other.affinity, &other.tolerations)
                == (&pod.demand, &pod.selector, &pod.affinity, &pod.tolerations)
        };
        match alike.iter_mut().find(|(example, _)| same(example)) {
            Some((_, count)) => *count += 1,
            None => alike.push((pod, 1)),
        }
    }
    alike.into_iter().map(|(pod, count)| never(pod, count, shapes)).collect()
}

fn never(pod: &Pod, alike: u32, shapes: &[Shape]) -> Reason {
    // Nearest: no obstacle but amounts, then the fewest kinds of resource that lack, then the most of what is asked.
    let nearest = shapes.iter().enumerate().min_by_key(|(index, shape)| {
        let obstacle = Bin::of_shape(shape, *index).obstacle(pod).is_some();
        let lacks = shape.allocatable.shortages(&pod.demand).len();
        let held = held(pod, shape);
        (obstacle, lacks, std::cmp::Reverse((held.base.cpu, held.base.memory)))
    });
    Reason::NeverFits {
        pod: pod.id.clone(),
        alike,
        asked: pod.demand.clone(),
        nearest: nearest.map(|(_, shape)| shape.name.clone()),
        holds: nearest.map(|(_, shape)| held(pod, shape)).unwrap_or_default(),
        lacks: nearest.and_then(|(index, shape)| Bin::of_shape(shape, index).obstacle(pod)).into_iter().collect(),
    }
}

/// The part of what the pod asks that the shape has.
fn held(pod: &Pod, shape: &Shape) -> Demand {
    let (asked, has) = (&pod.demand, &shape.allocatable);
    let other = |name: &String| has.other.get(name).copied().unwrap_or(0);
    Demand {
        base: emberyard_model::Resources {
            cpu: asked.base.cpu.min(has.base.cpu),
            memory: asked.base.memory.min(has.base.memory),
            pods: asked.base.pods.min(has.base.pods),
        },
        other: asked.other.iter().map(|(name, amount)| (name.clone(), (*amount).min(other(name)))).collect(),
    }
}
