//! From Kubernetes objects, as JSON, to the planner's world. General rules first; the one thing taken from Spark is its application label.

use crate::{GangId, Node, NodeState, Pod, PodId, Standing};
use emberyard_model::fit::{Demand, NodeSelector, pod_demand, tolerations};
use emberyard_model::{NodeName, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Label by which the executors of one application know each other (set by Spark).
pub const GANG_LABEL: &str = "spark-app-selector";
/// Label that tells executors from drivers (set by Spark).
pub const ROLE_LABEL: &str = "spark-role";
/// Annotation of pods and nodes that must not be removed.
pub const KEEP: &str = "emberyard.dev/keep";
/// Annotation or label of pods that hold data on their node's disk.
pub const LOCAL_DATA: &str = "emberyard.dev/local-data";

/// A node object as the planner sees it; none when it has no valid name. `boots_since` is set while its provider still starts it.
pub fn node(object: &Value, boots_since: Option<Timestamp>) -> Option<Node> {
    let meta = object.get("metadata")?;
    let name = NodeName::new(text(meta, "name")?).ok()?;
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let status = object.get("status").unwrap_or(&Value::Null);
    let created = time(meta, "creationTimestamp").unwrap_or_default();
    let ready = condition(status, "Ready");
    let state = match ready.and_then(|ready| text(ready, "status")) {
        _ if meta.get("deletionTimestamp").is_some() => NodeState::Draining,
        _ if spec.get("unschedulable").and_then(Value::as_bool) == Some(true) => NodeState::Draining,
        Some("True") => NodeState::Ready,
        _ if boots_since.is_some() => NodeState::Booting { since: boots_since.unwrap_or(created) },
        None => NodeState::Booting { since: created },
        Some(_) => {
            NodeState::Lost { since: ready.and_then(|ready| time(ready, "lastTransitionTime")).unwrap_or(created) }
        }
    };
    Some(Node {
        name,
        state,
        allocatable: Demand::from_list(status.get("allocatable").unwrap_or(&Value::Null)),
        labels: map(meta, "labels"),
        taints: list(spec, "taints"),
        created,
        empty_since: None,
        keep: annotated(meta, KEEP).is_some(),
    })
}

/// A pod object as the planner sees it; none when it is over and nothing asks to keep it.
pub fn pod(object: &Value) -> Option<Pod> {
    let meta = object.get("metadata")?;
    let spec = object.get("spec")?;
    let id = PodId { namespace: text(meta, "namespace")?.to_owned(), name: text(meta, "name")?.to_owned() };
    let over = matches!(object.pointer("/status/phase").and_then(Value::as_str), Some("Succeeded" | "Failed"));
    let standing = standing(meta);
    if over && !matches!(standing, Standing::Kept(_)) {
        return None;
    }
    let labels = map(meta, "labels");
    let executor = labels.get(ROLE_LABEL).is_some_and(|role| role == "executor");
    let gang = labels.get(GANG_LABEL).filter(|_| executor).map(|app| GangId(format!("{}/{app}", id.namespace)));
    let affinity = spec.pointer("/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution").and_then(read);
    let gates: Vec<&str> = items(spec, "schedulingGates").filter_map(|gate| text(gate, "name")).collect();
    Some(Pod {
        created: time(meta, "creationTimestamp").unwrap_or_default(),
        node: text(spec, "nodeName").and_then(|name| NodeName::new(name).ok()),
        demand: if over { Demand::default() } else { pod_demand(spec) },
        selector: map(spec, "nodeSelector"),
        affinity: affinity.map(|affinity: NodeSelector| affinity),
        tolerations: tolerations(spec),
        apart: apart(&id.namespace, &labels, spec),
        gang,
        standing,
        waits_for: if gates.is_empty() {
            waits_for_volume(object)
        } else {
            Some(format!("its scheduling gates ({})", gates.join(", ")))
        },
        id,
    })
    .filter(|pod| pod.node.is_some() || meta.get("deletionTimestamp").is_none())
}

/// What the scheduler said, when it is about a volume claim: no node cures that.
fn waits_for_volume(object: &Value) -> Option<String> {
    let status = object.get("status")?;
    let message = text(condition(status, "PodScheduled")?, "message")?;
    message.to_lowercase().contains("persistentvolumeclaim").then(|| format!("a volume ({message})"))
}

fn standing(meta: &Value) -> Standing {
    let kept = |why: &str| Standing::Kept(why.to_owned());
    if annotated(meta, KEEP).is_some() {
        return kept("it is marked to be kept");
    }
    if annotated(meta, LOCAL_DATA).is_some() || map(meta, "labels").contains_key(LOCAL_DATA) {
        return kept("it holds data on this node");
    }
    let daemon = items(meta, "ownerReferences").any(|owner| matches!(text(owner, "kind"), Some("DaemonSet" | "Node")));
    if daemon { Standing::Daemon } else { Standing::Work }
}

/// Host ports, and required anti-affinity by host name against pods of its own kind.
fn apart(namespace: &str, labels: &BTreeMap<String, String>, spec: &Value) -> BTreeSet<String> {
    let mut apart = BTreeSet::new();
    for port in items(spec, "containers").flat_map(|container| items(container, "ports")) {
        if let Some(number) = port.get("hostPort").and_then(Value::as_u64).filter(|number| *number > 0) {
            apart.insert(format!("hostPort {}/{number}", text(port, "protocol").unwrap_or("TCP")));
        }
    }
    let terms = spec
        .pointer("/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution")
        .and_then(Value::as_array);
    for term in terms.into_iter().flatten() {
        let equal = term.pointer("/labelSelector/matchLabels").map(read::<BTreeMap<String, String>>);
        if let Some(Some(wanted)) = equal
            && text(term, "topologyKey") == Some("kubernetes.io/hostname")
            && wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
        {
            apart.insert(format!("anti-affinity {namespace} {wanted:?}"));
        }
    }
    apart
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    items(status, "conditions").find(|one| text(one, "type") == Some(kind))
}

fn annotated<'a>(meta: &'a Value, name: &str) -> Option<&'a str> {
    let value = meta.get("annotations")?.get(name)?.as_str()?;
    (value != "false").then_some(value)
}

fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name)?.as_str()
}

fn time(of: &Value, name: &str) -> Option<Timestamp> {
    Timestamp::parse(text(of, name)?).ok()
}

fn items<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    of.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn map(of: &Value, name: &str) -> BTreeMap<String, String> {
    of.get(name).and_then(read).unwrap_or_default()
}

fn list<T: DeserializeOwned>(of: &Value, name: &str) -> Vec<T> {
    items(of, name).filter_map(read).collect()
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}
