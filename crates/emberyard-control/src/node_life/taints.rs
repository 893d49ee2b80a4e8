//! The taints that say of a node what its conditions say.

use emberyard_model::Timestamp;
use emberyard_object::view::{NodeView, list, text};
use serde_json::{Value, json};

/// Condition, its status, and the taint's name (behind `node.kubernetes.io/`).
const RULES: &[(&str, &str, &str)] = &[
    ("Ready", "False", "not-ready"),
    ("Ready", "Unknown", "unreachable"),
    ("MemoryPressure", "True", "memory-pressure"),
    ("DiskPressure", "True", "disk-pressure"),
    ("PIDPressure", "True", "pid-pressure"),
    ("NetworkUnavailable", "True", "network-unavailable"),
];
const PREFIX: &str = "node.kubernetes.io/";
const CORDONED: &str = "unschedulable";

/// The node's taints as they should be; none when they are. Other people's taints stay as they are.
pub(super) fn wanted(node: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let view = NodeView(node);
    let holds = |(kind, status, _): &&(&str, &str, &str)| {
        view.condition(kind).is_some_and(|condition| text(condition, &["status"]) == *status)
    };
    let mut due: Vec<(&str, &str)> = Vec::new();
    for (kind, _, name) in RULES.iter().filter(holds) {
        due.push((name, "NoSchedule"));
        if *kind == "Ready" {
            due.push((name, "NoExecute"));
        }
    }
    if view.is_unschedulable() {
        due.push((CORDONED, "NoSchedule"));
    }
    let ours = |taint: &Value| {
        let name = text(taint, &["key"]).strip_prefix(PREFIX)?;
        let known = name == CORDONED || RULES.iter().any(|(.., rule)| *rule == name);
        known.then(|| (name.to_owned(), text(taint, &["effect"]).to_owned()))
    };
    let is_due = |taint: &(String, String)| due.contains(&(taint.0.as_str(), taint.1.as_str()));
    let present = list(node, &["spec", "taints"]);
    let mut taints: Vec<Value> =
        present.iter().filter(|taint| ours(taint).is_none_or(|taint| is_due(&taint))).cloned().collect();
    for (name, effect) in &due {
        let there =
            taints.iter().filter_map(ours).any(|taint| (taint.0.as_str(), taint.1.as_str()) == (*name, *effect));
        if !there {
            taints.push(json!({"key": format!("{PREFIX}{name}"), "effect": effect, "timeAdded": now.rfc3339()}));
        }
    }
    (taints.as_slice() != present).then_some(taints)
}
