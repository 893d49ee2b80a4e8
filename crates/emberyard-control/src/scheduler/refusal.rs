//! Why no node takes the pod, as Kubernetes' scheduler words it.

use std::collections::BTreeMap;

/// `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.`
pub(super) fn message(nodes: usize, obstacles: impl Iterator<Item = Vec<String>>) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for reason in obstacles.flatten() {
        *counts.entry(reason).or_default() += 1;
    }
    // Kubernetes sorts the finished texts, numbers included.
    let mut parts: Vec<String> = counts.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    parts.sort();
    format!("0/{nodes} nodes are available: {}.", parts.join(", "))
}

/// The same for a reason that has nothing to do with nodes.
pub(super) fn wait_message(nodes: usize, reason: &str) -> String {
    format!("0/{nodes} nodes are available: {reason}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_kubernetes() {
        let reasons = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let table = [
            (vec![], "no nodes available to schedule pods"),
            (
                vec![reasons(&["Insufficient cpu"]), reasons(&["Insufficient cpu"])],
                "0/2 nodes are available: 2 Insufficient cpu.",
            ),
            (
                vec![reasons(&["Insufficient cpu", "Insufficient memory"]), reasons(&["node(s) were unschedulable"])],
                "0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) were unschedulable.",
            ),
        ];
        for (obstacles, text) in table {
            assert_eq!(message(obstacles.len(), obstacles.into_iter()), text);
        }
    }
}
