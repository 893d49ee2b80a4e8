//! Sets of fields, as tries of path elements; their JSON form is `FieldsV1`.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A set of fields. Path elements are kept in their written form: `f:NAME`, `k:{KEYS}`, `v:VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSet {
    /// Whether the path that leads here is itself in the set.
    pub owned: bool,
    /// What lies below.
    pub children: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    /// Just the path that leads here.
    pub fn leaf() -> Self {
        Self { owned: true, children: BTreeMap::new() }
    }

    /// Whether no path is in it.
    pub fn is_empty(&self) -> bool {
        !self.owned && self.children.is_empty()
    }

    /// Puts a set below an element; empty ones are left out.
    pub fn insert(&mut self, element: String, below: Self) {
        if !below.is_empty() {
            self.children.insert(element, below);
        }
    }

    /// Paths in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut result = self.clone();
        result.owned |= other.owned;
        for (element, below) in &other.children {
            let merged = result.children.get(element).map_or_else(|| below.clone(), |mine| mine.union(below));
            result.children.insert(element.clone(), merged);
        }
        result
    }

    /// Paths in this but not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut result = Self { owned: self.owned && !other.owned, children: BTreeMap::new() };
        for (element, below) in &self.children {
            let rest = other.children.get(element).map_or_else(|| below.clone(), |gone| below.minus(gone));
            result.insert(element.clone(), rest);
        }
        result
    }

    /// Paths in both.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        let mut result = Self { owned: self.owned && other.owned, children: BTreeMap::new() };
        for (element, below) in &self.children {
            if let Some(theirs) = other.children.get(element) {
                result.insert(element.clone(), below.common(theirs));
            }
        }
        result
    }

    /// All paths, as messages write them: `.spec.containers[name="a"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, path: &str, paths: &mut Vec<String>) {
        if self.owned {
            paths.push(path.to_owned());
        }
        for (element, below) in &self.children {
            below.collect(&format!("{path}{}", shown(element)), paths);
        }
    }

    /// As `FieldsV1`.
    pub fn to_json(&self) -> Value {
        let mut members: Map<String, Value> =
            self.children.iter().map(|(element, below)| (element.clone(), below.to_json())).collect();
        if self.owned && !members.is_empty() {
            members.insert(".".to_owned(), json!({}));
        }
        Value::Object(members)
    }

    /// From `FieldsV1`; what is none of it is left out.
    pub fn from_json(fields: &Value) -> Self {
        let mut set = Self::below(fields);
        set.owned = fields.get(".").is_some();
        set
    }

    fn below(fields: &Value) -> Self {
        let mut set = Self::default();
        for (element, below) in fields.as_object().into_iter().flatten() {
            if element == "." {
                set.owned = true;
            } else {
                set.children.insert(element.clone(), Self::below(below));
            }
        }
        set.owned |= set.children.is_empty();
        set
    }
}

/// One element as messages write it.
fn shown(element: &str) -> String {
    match element.split_at_checked(2) {
        Some(("f:", name)) => format!(".{name}"),
        Some(("v:", value)) => format!("[={value}]"),
        Some(("k:", keys)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        _ => element.to_owned(),
    }
}
