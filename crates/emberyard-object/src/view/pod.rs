//! Pods, as scheduler, controllers and agents look at them.

use super::{Meta, NodeView, Taint, at, list, text};
use emberyard_model::{Bytes, Cpu, Quantity, Resources};
use serde_json::Value;

/// One toleration of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Toleration<'a> {
    /// Taint key; "" with `Exists` means all.
    pub key: &'a str,
    /// `Equal` (also "") or `Exists`.
    pub operator: &'a str,
    /// Taint value for `Equal`.
    pub value: &'a str,
    /// Effect; "" means all.
    pub effect: &'a str,
    /// For how long a `NoExecute` taint is borne; `None` = for ever.
    pub seconds: Option<i64>,
}

impl Toleration<'_> {
    /// Whether it bears `taint` (rule of `core/v1` `Toleration.ToleratesTaint`).
    pub fn bears(&self, taint: &Taint<'_>) -> bool {
        (self.effect.is_empty() || self.effect == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && match self.operator {
                "Exists" => true,
                "" | "Equal" => !self.key.is_empty() && self.value == taint.value,
                _ => false,
            }
    }
}

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

    /// Tolerations.
    pub fn tolerations(self) -> impl Iterator<Item = Toleration<'a>> {
        list(self.0, &["spec", "tolerations"]).iter().map(|toleration| Toleration {
            key: text(toleration, &["key"]),
            operator: text(toleration, &["operator"]),
            value: text(toleration, &["value"]),
            effect: text(toleration, &["effect"]),
            seconds: toleration.get("tolerationSeconds").and_then(Value::as_i64),
        })
    }

    /// Whether it bears all taints of `node` that keep pods away (`NoSchedule`, `NoExecute`).
    pub fn bears_taints_of(self, node: NodeView<'_>) -> bool {
        node.taints()
            .filter(|taint| taint.effect != "PreferNoSchedule")
            .all(|taint| self.tolerations().any(|toleration| toleration.bears(&taint)))
    }

    /// One condition's entry.
    pub fn condition(self, type_: &str) -> Option<&'a Value> {
        list(self.0, &["status", "conditions"]).iter().find(|condition| text(condition, &["type"]) == type_)
    }

    /// Whether the `Ready` condition is true.
    pub fn is_ready(self) -> bool {
        self.condition("Ready").is_some_and(|condition| text(condition, &["status"]) == "True")
    }

    /// What the scheduler counts: the sum over containers and restartable init containers, at least the largest
    /// ordinary init container beside the sidecars before it, plus overhead. One place for a pod.
    pub fn requests(self) -> Resources {
        let mut sidecars = Resources::default();
        let mut peak = Resources::default();
        for container in self.init_containers() {
            let asked = container_requests(container);
            if text(container, &["restartPolicy"]) == "Always" {
                sidecars = sidecars.plus(&asked);
                peak = largest(&peak, &sidecars);
            } else {
                peak = largest(&peak, &sidecars.plus(&asked));
            }
        }
        let running =
            self.containers().iter().fold(sidecars, |sum, container| sum.plus(&container_requests(container)));
        let overhead = at(self.0, &["spec", "overhead"]).map(amounts).unwrap_or_default();
        Resources { pods: 1, ..largest(&running, &peak).plus(&overhead) }
    }
}

fn largest(a: &Resources, b: &Resources) -> Resources {
    Resources { cpu: a.cpu.max(b.cpu), memory: a.memory.max(b.memory), pods: a.pods.max(b.pods) }
}

fn container_requests(container: &Value) -> Resources {
    at(container, &["resources", "requests"]).map(amounts).unwrap_or_default()
}

/// CPU, memory and pods out of a resource list; what can't be read counts as zero.
pub(super) fn amounts(list: &Value) -> Resources {
    let amount = |key: &str| match list.get(key) {
        Some(Value::String(text)) => Quantity::parse(text).unwrap_or(Quantity::ZERO),
        Some(Value::Number(number)) => Quantity::parse(&number.to_string()).unwrap_or(Quantity::ZERO),
        _ => Quantity::ZERO,
    };
    Resources {
        cpu: Cpu(u64::try_from(amount("cpu").milli()).unwrap_or(0)),
        memory: Bytes(u64::try_from(amount("memory").units()).unwrap_or(0)),
        pods: u32::try_from(amount("pods").units()).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requests_follow_the_scheduler() {
        let asks = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}});
        let sidecar = json!({"restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}});
        let pod = json!({"spec": {"containers": [asks("1"), asks("500m")], "initContainers": [sidecar, asks("2")]}});
        let requests = PodView(&pod).requests();
        assert_eq!((requests.cpu, requests.memory, requests.pods), (Cpu(2100), Bytes(2 << 30), 1));
    }

    #[test]
    fn tolerations_bear_taints() {
        let taint = Taint { key: "k", value: "v", effect: "NoSchedule" };
        let table = [
            ("k", "Equal", "v", "NoSchedule", true),
            ("k", "", "w", "NoSchedule", false),
            ("k", "Exists", "", "", true),
            ("", "Exists", "", "", true),
            ("", "Equal", "v", "", false),
            ("k", "Exists", "", "NoExecute", false),
        ];
        for (key, operator, value, effect, wanted) in table {
            let toleration = Toleration { key, operator, value, effect, seconds: None };
            assert_eq!(toleration.bears(&taint), wanted, "{toleration:?}");
        }
    }
}
