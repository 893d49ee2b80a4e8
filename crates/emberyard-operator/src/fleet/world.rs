//! Objects and claims to the planner's world: pure.

use crate::index::Index;
use emberyard_cloud::{NodeClaim, NodeState as ClaimState};
use emberyard_model::fit::Demand;
use emberyard_model::{NodeName, Timestamp};
use emberyard_plan::{Node, NodeState, Policy, World, observe};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Taints that a cluster puts on a node that has just joined and takes away by itself.
const STARTING: [&str; 2] = ["node.kubernetes.io/not-ready", "node.cloudprovider.kubernetes.io/uninitialized"];

/// What must be remembered from one look to the next.
#[derive(Debug, Default)]
pub struct Memory {
    /// Since when each claim has been there.
    since: BTreeMap<NodeName, Timestamp>,
    /// Nodes that have been ready: silence of theirs is a loss, not a boot.
    ever_ready: BTreeSet<NodeName>,
    /// How long the last node took from being asked for to being ready.
    last_boot: Option<Duration>,
}

impl Memory {
    /// How long a node may be expected to take; none before the first was seen to boot.
    pub fn usual_boot(&self) -> Option<Duration> {
        self.last_boot
    }

    /// A node was removed: one that gets its name, which may happen before the next look, is another one with a boot of its own.
    pub fn forget(&mut self, name: &NodeName) {
        self.since.remove(name);
        self.ever_ready.remove(name);
    }

    /// The world as it is now.
    pub fn world(
        &mut self,
        nodes: &Index,
        pods: &Index,
        claims: &[NodeClaim],
        policy: &Policy,
        now: Timestamp,
    ) -> World {
        self.note(claims, now);
        let claimed: BTreeMap<&NodeName, &NodeClaim> = claims.iter().map(|claim| (&claim.name, claim)).collect();
        let mut seen: Vec<Node> =
            nodes.values().filter_map(|object| self.node(object, &claimed, policy, now)).collect();
        let known: BTreeSet<NodeName> = seen.iter().map(|node| node.name.clone()).collect();
        let unseen = claims.iter().filter(|claim| !known.contains(&claim.name));
        seen.extend(unseen.map(|claim| self.unseen(claim, policy, now)));
        seen.sort_by(|a, b| a.name.cmp(&b.name));
        self.ever_ready.retain(|name| known.contains(name));
        World { nodes: seen, pods: pods.values().filter_map(observe::pod).collect(), ..World::default() }
    }

    fn note(&mut self, claims: &[NodeClaim], now: Timestamp) {
        self.since.retain(|name, _| claims.iter().any(|claim| claim.name == *name));
        for claim in claims {
            // From booting to running is still the same boot, until the node is ready.
            self.since.entry(claim.name.clone()).or_insert(now);
        }
    }

    fn since(&self, claim: &NodeClaim, now: Timestamp) -> Timestamp {
        self.since.get(&claim.name).copied().unwrap_or(now)
    }

    /// A node that has joined.
    fn node(
        &mut self,
        object: &Value,
        claimed: &BTreeMap<&NodeName, &NodeClaim>,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<Node> {
        let name = NodeName::new(object["metadata"]["name"].as_str()?).ok()?;
        let claim = claimed.get(&name).copied();
        let boots = claim.filter(|_| !self.ever_ready.contains(&name)).map(|claim| self.since(claim, now));
        let mut node = observe::node(object, boots)?;
        let starting = node.taints.iter().any(|taint| STARTING.contains(&taint.key.as_str()));
        if let (NodeState::Ready, Some(since), true) = (node.state, boots, starting) {
            node.state = NodeState::Booting { since };
        }
        if node.state == NodeState::Ready {
            if let (true, Some(asked)) = (self.ever_ready.insert(name), boots) {
                self.last_boot = Some(now.since(asked));
            }
            // Nobody could bring such a node back: it is not this provider's.
            node.keep |= claim.is_none();
        }
        if let (NodeState::Booting { .. }, Some(claim)) = (node.state, claim) {
            // It has joined but not yet said all it has; until then what was ordered counts.
            let ordered = self.unseen(claim, policy, now);
            node.allocatable = ordered.allocatable;
            node.labels.extend(ordered.labels);
            node.taints = ordered.taints;
        }
        if claim.is_some_and(|claim| claim.state == ClaimState::Dead) {
            // The provider knows first.
            node.state = NodeState::Dead;
        }
        Some(node)
    }

    /// A node that was asked for and has not joined yet.
    fn unseen(&self, claim: &NodeClaim, policy: &Policy, now: Timestamp) -> Node {
        let since = self.since(claim, now);
        let shape = policy.shapes.iter().find(|shape| shape.name == claim.shape);
        Node {
            name: claim.name.clone(),
            state: match claim.state {
                ClaimState::Dead => NodeState::Dead,
                ClaimState::Booting | ClaimState::Running => NodeState::Booting { since },
            },
            allocatable: shape.map_or_else(|| Demand::from(claim.resources), |shape| shape.allocatable.clone()),
            labels: shape.map(|shape| shape.labels.clone()).unwrap_or_default(),
            taints: shape.map(|shape| shape.taints.clone()).unwrap_or_default(),
            created: since,
            empty_since: None,
            keep: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberyard_client::WatchEvent;
    use emberyard_model::{Bytes, Cpu, Resources};
    use emberyard_plan::Shape;
    use serde_json::json;

    fn claim(name: &str, state: ClaimState) -> NodeClaim {
        let resources = Resources { cpu: Cpu(4000), memory: Bytes(8 << 30), pods: 110 };
        NodeClaim {
            name: NodeName::new(name).unwrap(),
            request: String::new(),
            shape: "local".to_owned(),
            resources,
            state,
        }
    }

    fn node(name: &str, ready: &str) -> Value {
        json!({
            "metadata": {"name": name, "creationTimestamp": "1970-01-01T00:00:01Z"},
            "status": {"allocatable": {"cpu": "3"}, "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": "1970-01-01T00:00:05Z"}]},
        })
    }

    fn look(memory: &mut Memory, nodes: Vec<Value>, claims: &[NodeClaim], seconds: i64) -> Vec<String> {
        let mut index = Index::default();
        index.apply(WatchEvent::Restarted(nodes));
        let resources = claim("x", ClaimState::Booting).resources;
        let shape =
            Shape { name: "local".to_owned(), allocatable: resources.into(), labels: BTreeMap::new(), taints: vec![] };
        let policy = Policy::of_one_shape(1, 4, shape);
        let world = memory.world(&index, &Index::default(), claims, &policy, Timestamp::from_seconds(seconds));
        world
            .nodes
            .iter()
            .map(|node| {
                let state = match node.state {
                    NodeState::Booting { since } => format!("booting {}", since.seconds()),
                    NodeState::Lost { since } => format!("lost {}", since.seconds()),
                    NodeState::Dead => "dead".to_owned(),
                    NodeState::Ready => "ready".to_owned(),
                    NodeState::Draining => "draining".to_owned(),
                };
                format!("{} {state} {}{}", node.name, node.allocatable.base.cpu, if node.keep { " kept" } else { "" })
            })
            .collect()
    }

    #[test]
    fn who_gets_a_removed_ones_name_boots_anew() {
        use ClaimState::{Booting, Dead, Running};
        let mut memory = Memory::default();
        assert_eq!(look(&mut memory, vec![], &[claim("n", Booting)], 10), ["n booting 10 4"]);
        assert_eq!(look(&mut memory, vec![node("n", "True")], &[claim("n", Running)], 11), ["n ready 3"]);
        assert_eq!(look(&mut memory, vec![node("n", "True")], &[claim("n", Dead)], 400), ["n dead 3"]);
        memory.forget(&NodeName::new("n").unwrap());
        assert_eq!(look(&mut memory, vec![], &[claim("n", Booting)], 401), ["n booting 401 4"]);
        assert_eq!(look(&mut memory, vec![node("n", "False")], &[claim("n", Running)], 402), ["n booting 401 4"]);
    }

    #[test]
    fn the_life_of_a_node() {
        use ClaimState::{Booting, Dead, Running};
        let mut memory = Memory::default();
        assert_eq!(look(&mut memory, vec![], &[claim("n", Booting)], 10), ["n booting 10 4"]);
        let bare = json!({"metadata": {"name": "n", "creationTimestamp": "1970-01-01T00:00:01Z"}});
        assert_eq!(look(&mut memory, vec![bare], &[claim("n", Booting)], 11), ["n booting 10 4"]);
        assert_eq!(look(&mut memory, vec![node("n", "False")], &[claim("n", Running)], 12), ["n booting 10 4"]);
        let mut tainted = node("n", "True");
        tainted["spec"] = json!({"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]});
        assert_eq!(look(&mut memory, vec![tainted], &[claim("n", Running)], 13), ["n booting 10 4"]);
        assert_eq!(memory.usual_boot(), None);
        assert_eq!(look(&mut memory, vec![node("n", "True")], &[claim("n", Running)], 14), ["n ready 3"]);
        assert_eq!(memory.usual_boot(), Some(Duration::from_secs(4)));
        assert_eq!(look(&mut memory, vec![node("n", "Unknown")], &[claim("n", Running)], 16), ["n lost 5 3"]);
        assert_eq!(look(&mut memory, vec![node("n", "True")], &[claim("n", Dead)], 18), ["n dead 3"]);
        assert_eq!(look(&mut memory, vec![node("m", "True")], &[], 20), ["m ready 3 kept"]);
        assert_eq!(look(&mut memory, vec![], &[claim("n", Dead)], 22), ["n dead 4"]);
    }
}
