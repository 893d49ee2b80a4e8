mod examples;
mod properties;
mod seen;

use crate::{GangId, Node, NodeState, Plan, Pod, PodId, Policy, Shape, Standing, Step, World};
use emberyard_model::fit::Demand;
use emberyard_model::{NodeName, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(NOW.seconds() + seconds)
}

pub(crate) fn demand(cpu: u64, gib: u64) -> Demand {
    Demand::from_list(&json!({"cpu": cpu, "memory": format!("{gib}Gi"), "pods": 1}))
}

pub(crate) fn shape() -> Shape {
    let allocatable = Demand::from_list(&json!({"cpu": 4, "memory": "8Gi", "pods": 110}));
    Shape { name: "local".to_owned(), allocatable, labels: BTreeMap::new(), taints: Vec::new() }
}

pub(crate) fn policy(min: u32, max: u32) -> Policy {
    Policy::of_one_shape(min, max, shape())
}

pub(crate) fn node(name: &str, state: NodeState) -> Node {
    Node {
        name: NodeName::new(name).unwrap(),
        state,
        allocatable: shape().allocatable,
        labels: BTreeMap::new(),
        taints: Vec::new(),
        created: at(-1000),
        empty_since: None,
        keep: false,
    }
}

pub(crate) fn pod(name: &str, cpu: u64, gang: Option<&str>, on: Option<&str>) -> Pod {
    Pod {
        id: PodId { namespace: "default".to_owned(), name: name.to_owned() },
        created: at(-60),
        node: on.map(|name| NodeName::new(name).unwrap()),
        demand: demand(cpu, 1),
        selector: BTreeMap::new(),
        affinity: None,
        tolerations: Vec::new(),
        apart: BTreeSet::new(),
        gang: gang.map(|gang| GangId(gang.to_owned())),
        standing: Standing::Work,
        waits_for: None,
    }
}

pub(crate) fn executors(count: u32, cpu: u64) -> Vec<Pod> {
    (1..=count).map(|index| pod(&format!("exec-{index:03}"), cpu, Some("default/app"), None)).collect()
}

pub(crate) fn sentences(plan: &Plan) -> Vec<String> {
    plan.reasons.iter().map(ToString::to_string).collect()
}

/// The world after the plan was carried out: new nodes boot, removed ones are gone.
pub(crate) fn carried_out(world: &World, plan: &Plan, policy: &Policy, now: Timestamp) -> World {
    let mut after = world.clone();
    for step in &plan.steps {
        match step {
            Step::Remove { node } => after.nodes.retain(|one| &one.name != node),
            Step::Add { shape, count, .. } => {
                for _ in 0..*count {
                    let shape = policy.shapes.iter().find(|one| &one.name == shape).unwrap();
                    let mut new = node(&format!("new-{:02}", after.nodes.len()), NodeState::Booting { since: now });
                    new.created = now;
                    new.allocatable = shape.allocatable.clone();
                    after.nodes.push(new);
                }
            }
        }
    }
    after
}
