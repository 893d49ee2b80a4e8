//! What a fleet can hold at most: enough to refuse beforehand what will never have room.

use crate::policy::{Policy, Shape};
use crate::reason::amounts;
use emberyard_model::fit::Demand;
use serde_json::Value;
use std::fmt;

/// Pods that can't all be there at the same time. Its `Display` is a sentence for a person, without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooMuch {
    /// What they ask for together.
    pub asked: Demand,
    /// What all nodes that there can be have together.
    pub most: Demand,
    /// Nodes that the fleet may have.
    pub max: u32,
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, most, max } = self;
        let nodes = if *max == 1 { "1 node".to_owned() } else { format!("{max} nodes") };
        write!(f, "its pods ask for {}, and the fleet at its maximum of {nodes} has {}", amounts(asked), amounts(most))
    }
}

/// Why these pods can't all be there, however they are placed: all nodes of the fleet at its maximum, as if each were as large as the
/// largest shape, and the nodes that are there and none of the fleet's have less than is asked. A bound from above: what passes may
/// still wait. None where it passes.
pub fn too_much(policy: &Policy, nodes: &[&Value], pods: &[Demand]) -> Option<TooMuch> {
    let sum = |demands: &mut dyn Iterator<Item = Demand>| demands.fold(Demand::default(), |sum, one| sum.plus(&one));
    let largest = policy.shapes.iter().fold(Demand::default(), |largest, shape| largest.max(&shape.allocatable));
    let others = nodes.iter().filter(|node| !policy.shapes.iter().any(|shape| is_of(node, shape)));
    let others = sum(&mut others.map(|node| Demand::from_list(&node["status"]["allocatable"])));
    let most = sum(&mut std::iter::repeat_n(largest, policy.max as usize)).plus(&others);
    let asked = sum(&mut pods.iter().cloned());
    (!most.holds(&asked)).then_some(TooMuch { asked, most, max: policy.max })
}

/// Whether a node may be one of this shape: it has its labels.
fn is_of(node: &Value, shape: &Shape) -> bool {
    shape.labels.iter().all(|(name, value)| node["metadata"]["labels"][name] == value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{demand, policy};
    use serde_json::json;

    #[test]
    fn what_all_nodes_together_lack_is_told() {
        let said = |max: u32, nodes: &[&Value], pods: &[Demand]| {
            too_much(&policy(0, max), nodes, pods).map(|too_much| too_much.to_string())
        };
        assert_eq!(said(2, &[], &vec![demand(1, 2); 8]), None);
        assert_eq!(
            said(2, &[], &vec![demand(1, 2); 9]).as_deref(),
            Some("its pods ask for cpu 9, memory 18Gi, and the fleet at its maximum of 2 nodes has cpu 8, memory 16Gi")
        );
        // A node of the fleet is one of those that it may have; another one counts beside them.
        let mut mine = policy(0, 1);
        mine.shapes[0].labels.insert("pool".to_owned(), "a".to_owned());
        let node = |labels: Value| {
            json!({"metadata": {"labels": labels},
            "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}})
        };
        let (own, other) = (node(json!({"pool": "a"})), node(json!({})));
        let pods = vec![demand(1, 1); 6];
        assert!(too_much(&mine, &[&own], &pods).is_some());
        assert!(too_much(&mine, &[&own, &other], &pods).is_none());
    }
}
