//! The last decision and its reasons, where `emberyard explain` finds them.

use emberyard_model::Timestamp;
use emberyard_plan::{Plan, Reason};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Namespace of the ConfigMap.
pub const EXPLAIN_NAMESPACE: &str = "kube-system";
/// Name of the ConfigMap.
pub const EXPLAIN_NAME: &str = "emberyard-explain";
const KEY: &str = "explanation.json";
const TEXT: &str = "explanation.txt";

/// A decision, told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// When these reasons were first given.
    pub since: Timestamp,
    /// One sentence for each reason.
    pub sentences: Vec<String>,
    /// The reasons as values.
    pub reasons: Vec<Reason>,
}

impl Explanation {
    /// Of a plan.
    pub fn of(plan: &Plan, now: Timestamp) -> Self {
        Self {
            since: now,
            sentences: plan.reasons.iter().map(ToString::to_string).collect(),
            reasons: plan.reasons.clone(),
        }
    }

    /// From the ConfigMap; none when it holds none.
    pub fn read(config_map: &Value) -> Option<Self> {
        serde_json::from_str(config_map["data"][KEY].as_str()?).ok()
    }

    /// As the ConfigMap.
    pub(super) fn config_map(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": EXPLAIN_NAME, "namespace": EXPLAIN_NAMESPACE},
            "data": {
                KEY: serde_json::to_string(self).unwrap_or_default(),
                TEXT: self.sentences.join("\n"),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_written() {
        let plan = Plan { reasons: vec![Reason::BelowMinimum { have: 1, min: 2 }], ..Plan::default() };
        let explanation = Explanation::of(&plan, Timestamp::from_seconds(1));
        assert_eq!(Explanation::read(&explanation.config_map()), Some(explanation));
        assert_eq!(Explanation::read(&json!({})), None);
    }
}
