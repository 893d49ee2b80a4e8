//! Nodes, as scheduler and controllers look at them.

use super::{Meta, at, list, text};
use crate::condition;
use serde_json::Value;

/// A node.
#[derive(Debug, Clone, Copy)]
pub struct NodeView<'a>(pub &'a Value);

impl<'a> NodeView<'a> {
    /// Its metadata.
    pub fn meta(self) -> Meta<'a> {
        Meta(self.0)
    }

    /// Whether new pods are kept away by hand (`kubectl cordon`).
    pub fn is_unschedulable(self) -> bool {
        at(self.0, &["spec", "unschedulable"]).and_then(Value::as_bool).unwrap_or(false)
    }

    /// One condition's entry.
    pub fn condition(self, type_: &str) -> Option<&'a Value> {
        condition::find(&self.0["status"], type_)
    }

    /// Whether the `Ready` condition is true.
    pub fn is_ready(self) -> bool {
        condition::held(&self.0["status"], "Ready").is_some()
    }

    /// The first address of a type (`InternalIP`, `Hostname`), "" if none.
    pub fn address(self, type_: &str) -> &'a str {
        list(self.0, &["status", "addresses"])
            .iter()
            .find(|address| text(address, &["type"]) == type_)
            .map_or("", |address| text(address, &["address"]))
    }
}
