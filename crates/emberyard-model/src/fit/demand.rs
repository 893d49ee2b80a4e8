//! Amounts of CPU, memory, pods and anything else that is counted.

use crate::{Bytes, Cpu, Quantity, Resources};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An amount of every counted resource: what a pod asks for, what a node offers, what is in use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Demand {
    /// CPU, memory and places for pods.
    pub base: Resources,
    /// Everything else by resource name (`ephemeral-storage`, `nvidia.com/gpu`), in whole units rounded up.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, u64>,
}

impl From<Resources> for Demand {
    fn from(base: Resources) -> Self {
        Self { base, other: BTreeMap::new() }
    }
}

impl Demand {
    /// Reads a resource list (`requests`, `allocatable`): a JSON object of quantities. What is no quantity counts as nothing.
    pub fn from_list(list: &Value) -> Self {
        let mut demand = Self::default();
        for (name, amount) in list.as_object().into_iter().flatten() {
            let Some(amount) = quantity(amount) else { continue };
            let whole = u64::try_from(amount.units()).unwrap_or(0);
            match name.as_str() {
                "cpu" => demand.base.cpu = Cpu(u64::try_from(amount.milli()).unwrap_or(0)),
                "memory" => demand.base.memory = Bytes(whole),
                "pods" => demand.base.pods = u32::try_from(whole).unwrap_or(u32::MAX),
                _ => {
                    demand.other.insert(name.clone(), whole);
                }
            }
        }
        demand
    }

    /// Sum, saturating.
    #[must_use]
    pub fn plus(&self, more: &Self) -> Self {
        let mut other = self.other.clone();
        for (name, amount) in &more.other {
            let sum = other.entry(name.clone()).or_default();
            *sum = sum.saturating_add(*amount);
        }
        Self { base: self.base.plus(&more.base), other }
    }

    /// What is left, never below zero.
    #[must_use]
    pub fn minus(&self, less: &Self) -> Self {
        let mut other = self.other.clone();
        for (name, amount) in &less.other {
            if let Some(left) = other.get_mut(name) {
                *left = left.saturating_sub(*amount);
            }
        }
        Self { base: self.base.minus(&less.base), other }
    }

    /// The larger of both, resource by resource.
    #[must_use]
    pub fn max(&self, with: &Self) -> Self {
        let mut other = self.other.clone();
        for (name, amount) in &with.other {
            let larger = other.entry(name.clone()).or_default();
            *larger = (*larger).max(*amount);
        }
        let base = Resources {
            cpu: self.base.cpu.max(with.base.cpu),
            memory: self.base.memory.max(with.base.memory),
            pods: self.base.pods.max(with.base.pods),
        };
        Self { base, other }
    }

    /// Whether `wanted` fits into `self`. A resource that is not asked for never stands in the way.
    pub fn holds(&self, wanted: &Self) -> bool {
        self.shortages(wanted).is_empty()
    }

    /// Names of the resources of which `wanted` asks more than there is, in the order `pods`, `cpu`, `memory`, others by name.
    pub fn shortages<'a>(&self, wanted: &'a Self) -> Vec<&'a str> {
        let base = [
            ("pods", u64::from(wanted.base.pods), u64::from(self.base.pods)),
            ("cpu", wanted.base.cpu.0, self.base.cpu.0),
            ("memory", wanted.base.memory.0, self.base.memory.0),
        ];
        let others = wanted
            .other
            .iter()
            .map(|(name, amount)| (name.as_str(), *amount, self.other.get(name).copied().unwrap_or(0)));
        base.into_iter()
            .chain(others)
            .filter(|&(_, wanted, free)| wanted > 0 && wanted > free)
            .map(|(name, ..)| name)
            .collect()
    }
}

/// What a pod demands of its node; `spec` is the pod's specification. One place for a pod is included.
///
/// Rule source: Kubernetes' resource rule for init containers. A plain init container runs alone beside the sidecars started before it; sidecars
/// (init containers with `restartPolicy: Always`) run on beside the containers. Pod-level requests, where
/// given, take the place of the sum; overhead comes on top. A container without a request but with a limit requests the limit.
pub fn pod_demand(spec: &Value) -> Demand {
    let mut running = Demand::default();
    for container in list(spec, "containers") {
        running = running.plus(&requests(container));
    }
    let mut sidecars = Demand::default();
    let mut starting = Demand::default();
    for container in list(spec, "initContainers") {
        let wanted = requests(container);
        if container.get("restartPolicy").and_then(Value::as_str) == Some("Always") {
            sidecars = sidecars.plus(&wanted);
            starting = starting.max(&sidecars);
        } else {
            starting = starting.max(&sidecars.plus(&wanted));
        }
    }
    let mut demand = running.plus(&sidecars).max(&starting);
    let whole = requests(spec);
    if whole.base.cpu.0 > 0 {
        demand.base.cpu = whole.base.cpu;
    }
    if whole.base.memory.0 > 0 {
        demand.base.memory = whole.base.memory;
    }
    if let Some(overhead) = spec.get("overhead") {
        demand = demand.plus(&Demand::from_list(overhead));
    }
    demand.base.pods = 1;
    demand
}

/// A container's (or pod's) requests, completed by its limits.
fn requests(container: &Value) -> Demand {
    let Some(resources) = container.get("resources") else { return Demand::default() };
    let mut list = resources.get("limits").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, amount) in resources.get("requests").and_then(Value::as_object).into_iter().flatten() {
        list.insert(name.clone(), amount.clone());
    }
    Demand::from_list(&Value::Object(list))
}

fn list<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    of.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn init_containers_count_as_kubernetes_counts() {
        let container = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu, "memory": "10Mi"}}});
        let sidecar = |cpu: &str| json!({"restartPolicy": "Always", "resources": {"requests": {"cpu": cpu}}});
        let table = [
            (json!({"containers": [container("1"), container("500m")]}), 1500),
            (json!({"containers": [container("1")], "initContainers": [container("3"), container("2")]}), 3000),
            (json!({"containers": [container("1")], "initContainers": [sidecar("1"), container("3")]}), 4000),
            (json!({"containers": [container("2")], "initContainers": [container("2"), sidecar("1")]}), 3000),
            (json!({"containers": [container("1")], "overhead": {"cpu": "250m"}}), 1250),
            (json!({"containers": [{"resources": {"limits": {"cpu": "2"}}}]}), 2000),
            (json!({"containers": [container("1")], "resources": {"requests": {"cpu": "5"}}}), 5000),
            (json!({"containers": [{}]}), 0),
        ];
        for (spec, milli) in table {
            assert_eq!(pod_demand(&spec).base.cpu.0, milli, "{spec}");
        }
    }

    #[test]
    fn shortages_name_what_lacks() {
        let node = Demand::from_list(&json!({"cpu": "1", "memory": "1Gi", "pods": "110"}));
        let pod = Demand::from_list(&json!({"cpu": 2, "memory": "1Gi", "nvidia.com/gpu": 1}));
        assert_eq!(node.shortages(&pod), ["cpu", "nvidia.com/gpu"]);
        assert!(node.holds(&Demand::default()));
    }
}
