//! When each node was heard last. Only this controller's own clock counts: what matters is how long
//! ago a renewal was *seen*, so that nodes with another clock, or a control plane that was away, do no harm.

use emberyard_model::Timestamp;
use emberyard_object::view::{NodeView, at, list, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// A node that has no lease yet gets this long to make one.
const FIRST: Duration = Duration::from_secs(40);
/// A lease that does not say how long it lasts lasts this long.
const USUAL: Duration = Duration::from_secs(5);
/// A wake-up that comes later than this means that the whole machine stood still.
const LATE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Heard {
    nodes: BTreeMap<String, Sign>,
}

#[derive(Debug)]
struct Sign {
    /// The lease's own word of its renewal: a change is a sign of life.
    renewed: String,
    deadline: Timestamp,
}

impl Heard {
    /// A node was seen for the first time.
    pub(super) fn node(&mut self, name: &str, now: Timestamp) {
        let deadline = now.plus(FIRST);
        self.nodes.entry(name.to_owned()).or_insert(Sign { renewed: String::new(), deadline });
    }

    pub(super) fn lease(&mut self, name: &str, lease: &Value, now: Timestamp) {
        let renewed = text(lease, &["spec", "renewTime"]);
        let seconds =
            at(lease, &["spec", "leaseDurationSeconds"]).and_then(Value::as_u64).filter(|seconds| *seconds > 0);
        let deadline = now.plus(seconds.map_or(USUAL, Duration::from_secs));
        let sign = self.nodes.entry(name.to_owned()).or_insert(Sign { renewed: String::new(), deadline });
        if sign.renewed != renewed {
            *sign = Sign { renewed: renewed.to_owned(), deadline };
        }
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.nodes.remove(name);
    }

    /// When the node counts as silent.
    pub(super) fn deadline(&self, name: &str) -> Option<Timestamp> {
        self.nodes.get(name).map(|sign| sign.deadline)
    }

    /// The node spoke for itself by writing its status.
    pub(super) fn spoke(&mut self, name: &str, now: Timestamp) {
        if let Some(sign) = self.nodes.get_mut(name) {
            sign.deadline = sign.deadline.max(now.plus(USUAL));
        }
    }

    /// Time in which this controller itself was not run (a suspended laptop, a stopped machine) is nobody's
    /// silence: then everybody is given time anew. What was overdue before stays so.
    pub(super) fn forgive(&mut self, due: Timestamp, now: Timestamp) {
        if now.since(due) > LATE {
            for sign in self.nodes.values_mut().filter(|sign| sign.deadline >= due) {
                sign.deadline = sign.deadline.max(now.plus(USUAL));
            }
        }
    }
}

/// Whether the node is said to be silent already.
pub(super) fn is_unknown(node: &Value) -> bool {
    NodeView(node).condition("Ready").is_some_and(|ready| text(ready, &["status"]) == "Unknown")
}

/// The patch that says a node is silent; none when it says so already.
pub(super) fn status(node: &Value, now: Timestamp) -> Option<Value> {
    if is_unknown(node) {
        return None;
    }
    let kinds = list(node, &["status", "conditions"]).iter().map(|condition| text(condition, &["type"]));
    let kinds = kinds.filter(|kind| matches!(*kind, "MemoryPressure" | "DiskPressure" | "PIDPressure"));
    let unknown = |kind: &str| {
        json!({
            "type": kind, "status": "Unknown", "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.", "lastTransitionTime": now.rfc3339(),
        })
    };
    let conditions: Vec<Value> = kinds.chain(["Ready"]).map(unknown).collect();
    Some(json!({"status": {"conditions": conditions}}))
}
