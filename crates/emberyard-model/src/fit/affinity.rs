//! Which nodes a pod names by label or field.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a requirement compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// The value is one of the list.
    In,
    /// The value is none of the list; an absent label counts as none.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The value is a whole number above the only one listed.
    Gt,
    /// The value is a whole number below the only one listed.
    Lt,
}

/// One condition on a node's label or field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Label or field.
    pub key: String,
    /// Comparison.
    pub operator: Operator,
    /// Values to compare with.
    #[serde(default)]
    pub values: Vec<String>,
}

impl Requirement {
    /// Whether a label of this value (or its absence) meets the condition.
    pub fn met_by(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|one| one == value);
        let number = |text: &str| text.parse::<i64>().ok();
        let bound = self.values.first().and_then(|one| number(one));
        match self.operator {
            Operator::In => value.is_some_and(listed),
            Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => value.and_then(number).zip(bound).is_some_and(|(value, bound)| value > bound),
            Operator::Lt => value.and_then(number).zip(bound).is_some_and(|(value, bound)| value < bound),
        }
    }
}

/// What a selector looks at: a node's name and labels.
#[derive(Debug, Clone, Copy)]
pub struct NodeMatch<'a> {
    /// The node's name (`metadata.name`, the only field that may be selected).
    pub name: &'a str,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
}

/// Conditions that must all hold. A term without any condition matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeTerm {
    /// Conditions on labels.
    #[serde(default)]
    pub match_expressions: Vec<Requirement>,
    /// Conditions on fields.
    #[serde(default)]
    pub match_fields: Vec<Requirement>,
}

impl NodeTerm {
    /// Whether the node meets every condition.
    pub fn matches(&self, node: NodeMatch<'_>) -> bool {
        let labels = self.match_expressions.iter().all(|one| one.met_by(node.labels.get(&one.key).map(String::as_str)));
        let fields = self.match_fields.iter().all(|one| one.key == "metadata.name" && one.met_by(Some(node.name)));
        !(self.match_expressions.is_empty() && self.match_fields.is_empty()) && labels && fields
    }
}

/// Alternatives: one term that matches is enough, no term at all matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSelector {
    /// The alternatives.
    #[serde(default)]
    pub node_selector_terms: Vec<NodeTerm>,
}

impl NodeSelector {
    /// Whether one alternative matches the node.
    pub fn matches(&self, node: NodeMatch<'_>) -> bool {
        self.node_selector_terms.iter().any(|term| term.matches(node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requirements_table() {
        let table = [
            ("In", vec!["a"], Some("a"), true),
            ("In", vec!["a"], None, false),
            ("NotIn", vec!["a"], Some("a"), false),
            ("NotIn", vec!["a"], None, true),
            ("Exists", vec![], Some(""), true),
            ("DoesNotExist", vec![], Some(""), false),
            ("Gt", vec!["3"], Some("4"), true),
            ("Gt", vec!["3"], Some("x"), false),
            ("Lt", vec!["3"], Some("2"), true),
            ("Lt", vec!["3"], None, false),
        ];
        for (operator, values, value, met) in table {
            let one: Requirement =
                serde_json::from_value(json!({"key": "k", "operator": operator, "values": values})).unwrap();
            assert_eq!(one.met_by(value), met, "{one:?} {value:?}");
        }
    }

    #[test]
    fn empty_selectors_and_terms_match_nothing() {
        let labels = BTreeMap::new();
        let node = NodeMatch { name: "n", labels: &labels };
        assert!(!NodeSelector::default().matches(node));
        assert!(!NodeTerm::default().matches(node));
        let named: NodeTerm = serde_json::from_value(
            json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}),
        )
        .unwrap();
        assert!(named.matches(node));
    }
}
