//! What keeps pods off a node, and what lets them on all the same.

use crate::Timestamp;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a taint does to pods that do not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Effect {
    /// They are not placed there.
    NoSchedule,
    /// They are placed there only if nothing else is left.
    PreferNoSchedule,
    /// They are not placed there, and removed when they are there.
    NoExecute,
}

/// A mark on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taint {
    /// What it says.
    pub key: String,
    /// A value beside it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// What it does.
    pub effect: Effect,
    /// Since when, for `NoExecute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_added: Option<Timestamp>,
}

/// A pod's leave to stand on tainted nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Toleration {
    /// The taint's key; empty with `Exists` means every taint.
    #[serde(default)]
    pub key: String,
    /// `Equal` (also when absent) or `Exists`.
    #[serde(default)]
    pub operator: String,
    /// The value that `Equal` compares.
    #[serde(default)]
    pub value: String,
    /// The effect that is tolerated; absent or "" means all.
    #[serde(default, deserialize_with = "effect_if_any")]
    pub effect: Option<Effect>,
    /// How long `NoExecute` is tolerated, in seconds; absent means for ever.
    #[serde(default)]
    pub toleration_seconds: Option<i64>,
}

impl Toleration {
    /// Whether the taint is tolerated (for how long is another question).
    pub fn covers(&self, taint: &Taint) -> bool {
        let value = match self.operator.as_str() {
            "Exists" => true,
            "" | "Equal" => !self.key.is_empty() && self.value == taint.value,
            _ => false,
        };
        value
            && (self.key.is_empty() || self.key == taint.key)
            && self.effect.is_none_or(|effect| effect == taint.effect)
    }
}

/// The tolerations in a pod's specification; what is none counts as nothing.
pub fn tolerations(spec: &Value) -> Vec<Toleration> {
    let list = spec.get("tolerations").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|one| Toleration::deserialize(one).ok()).collect()
}

fn effect_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Effect>, D::Error> {
    let text = Option::<Value>::deserialize(from)?.filter(|effect| *effect != "");
    text.map(Effect::deserialize).transpose().map_err(Error::custom)
}

/// The first taint of one of these effects that nothing tolerates.
pub fn untolerated<'a>(taints: &'a [Taint], tolerations: &[Toleration], effects: &[Effect]) -> Option<&'a Taint> {
    taints
        .iter()
        .filter(|taint| effects.contains(&taint.effect))
        .find(|taint| !tolerations.iter().any(|toleration| toleration.covers(taint)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tolerations_table() {
        let taint: Taint = serde_json::from_value(json!({"key": "a", "value": "1", "effect": "NoSchedule"})).unwrap();
        let table = [
            (json!({"key": "a", "value": "1"}), true),
            (json!({"key": "a", "operator": "Equal", "value": "2"}), false),
            (json!({"key": "a", "operator": "Exists"}), true),
            (json!({"operator": "Exists"}), true),
            (json!({"operator": "Exists", "effect": "NoExecute"}), false),
            (json!({"key": "b", "operator": "Exists"}), false),
            (json!({"key": "a", "value": "1", "effect": "NoSchedule"}), true),
            (json!({"operator": "Exists", "effect": ""}), true),
            (json!({"operator": "Exists", "effect": null}), true),
            (json!({}), false),
        ];
        for (toleration, covered) in table {
            let one: Toleration = serde_json::from_value(toleration.clone()).unwrap();
            assert_eq!(one.covers(&taint), covered, "{toleration}");
            assert_eq!(untolerated(std::slice::from_ref(&taint), &[one], &[Effect::NoSchedule]).is_none(), covered);
        }
    }
}
