//! Pods, as scheduler, controllers and agents look at them.

use super::{Meta, at, list, text};
use crate::condition;
use serde_json::Value;

/// A pod.
#[derive(Debug, Clone, Copy)]
pub struct PodView<'a>(pub &'a Value);

impl<'a> PodView<'a> {
    /// Its metadata.
    pub fn meta(self) -> Meta<'a> {
        Meta(self.0)
    }

    /// Node it is bound to, "" if none.
    pub fn node_name(self) -> &'a str {
        text(self.0, &["spec", "nodeName"])
    }

    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown` or "".
    pub fn phase(self) -> &'a str {
        text(self.0, &["status", "phase"])
    }

    /// Whether it has ended for good.
    pub fn is_finished(self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    /// Its first IP, "" if none.
    pub fn ip(self) -> &'a str {
        text(self.0, &["status", "podIP"])
    }

    /// Scheduler it asks for.
    pub fn scheduler_name(self) -> &'a str {
        match text(self.0, &["spec", "schedulerName"]) {
            "" => "default-scheduler",
            name => name,
        }
    }

    /// Service account it runs as.
    pub fn service_account(self) -> &'a str {
        text(self.0, &["spec", "serviceAccountName"])
    }

    /// Priority; 0 if absent.
    pub fn priority(self) -> i64 {
        at(self.0, &["spec", "priority"]).and_then(Value::as_i64).unwrap_or(0)
    }

    /// `Always`, `OnFailure` or `Never`.
    pub fn restart_policy(self) -> &'a str {
        match text(self.0, &["spec", "restartPolicy"]) {
            "" => "Always",
            policy => policy,
        }
    }

    /// Whether it shares its node's network.
    pub fn host_network(self) -> bool {
        at(self.0, &["spec", "hostNetwork"]).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Containers, in order.
    pub fn containers(self) -> &'a [Value] {
        list(self.0, &["spec", "containers"])
    }

    /// Init containers, in order.
    pub fn init_containers(self) -> &'a [Value] {
        list(self.0, &["spec", "initContainers"])
    }

    /// Volumes.
    pub fn volumes(self) -> &'a [Value] {
        list(self.0, &["spec", "volumes"])
    }

    /// One condition's entry.
    pub fn condition(self, type_: &str) -> Option<&'a Value> {
        condition::find(&self.0["status"], type_)
    }

    /// Whether the `Ready` condition is true.
    pub fn is_ready(self) -> bool {
        condition::held(&self.0["status"], "Ready").is_some()
    }
}
