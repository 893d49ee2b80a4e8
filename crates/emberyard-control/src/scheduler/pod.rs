//! A pod as the scheduler sees it: read once when it changes, not once a node.

use super::term::{PodTerm, Spread};
use emberyard_model::Timestamp;
use emberyard_model::fit::{Demand, NodeSelector, NodeTerm, Toleration, pod_demand, tolerations};
use emberyard_object::view::{PodView, list, text};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Namespace and name.
pub(super) type PodKey = (String, String);

/// Labels that make siblings of pods that have no common owner. Spark's executors have none unless they are told their driver's pod.
const SIBLING_LABELS: &[&str] = &["spark-app-selector"];

/// What decides where a pod may run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PodInfo {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub created: Timestamp,
    pub priority: i64,
    /// Node it is bound to.
    pub node: Option<String>,
    pub deleting: bool,
    /// Whether it waits for this scheduler.
    pub ours: bool,
    /// Gates that hold it back.
    pub gated: bool,
    pub labels: Value,
    pub demand: Demand,
    pub selector: BTreeMap<String, String>,
    pub affinity: Option<NodeSelector>,
    pub preferred: Vec<(i64, NodeTerm)>,
    pub tolerations: Vec<Toleration>,
    pub ports: BTreeSet<HostPort>,
    pub near: Vec<PodTerm>,
    pub apart: Vec<PodTerm>,
    pub spread: Vec<Spread>,
    pub claims: Vec<String>,
    /// Pods with the same text are siblings and better stand on different nodes.
    pub siblings: Option<String>,
}

/// A port of the node that a pod takes for itself: protocol, number, address ("0.0.0.0" = all).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HostPort {
    protocol: String,
    port: u64,
    ip: String,
}

impl HostPort {
    /// Whether both cannot be had on one node.
    pub(super) fn conflicts(&self, other: &Self) -> bool {
        const ALL: &str = "0.0.0.0";
        (&self.protocol, self.port) == (&other.protocol, other.port)
            && (self.ip == other.ip || self.ip == ALL || other.ip == ALL)
    }
}

impl PodInfo {
    pub(super) fn key(&self) -> PodKey {
        (self.namespace.clone(), self.name.clone())
    }

    /// Whether this scheduler should find it a node now.
    pub(super) fn waits(&self) -> bool {
        self.ours && self.node.is_none() && !self.gated && !self.deleting
    }

    /// None for a pod that has ended: it takes no room.
    pub(super) fn read(object: &Value) -> Option<Self> {
        let view = PodView(object);
        if view.is_finished() {
            return None;
        }
        let (meta, spec) = (view.meta(), object.get("spec").unwrap_or(&Value::Null));
        let affinity = |path: &[&str]| list(spec, &[&["affinity"], path].concat());
        let namespace = meta.namespace();
        let labels = meta.labels();
        let siblings = SIBLING_LABELS.iter().find_map(|label| meta.label(label).map(str::to_owned));
        Some(Self {
            namespace: namespace.to_owned(),
            name: meta.name().to_owned(),
            uid: meta.uid().to_owned(),
            created: meta.created().unwrap_or_default(),
            priority: view.priority(),
            node: Some(view.node_name()).filter(|name| !name.is_empty()).map(str::to_owned),
            deleting: meta.is_deleting(),
            ours: view.scheduler_name() == "default-scheduler",
            gated: !list(spec, &["schedulingGates"]).is_empty(),
            labels: labels.clone(),
            demand: pod_demand(spec),
            selector: read(spec.get("nodeSelector")).unwrap_or_default(),
            affinity: read(spec.pointer("/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution")),
            preferred: affinity(&["nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"])
                .iter()
                .filter_map(|one| Some((one.get("weight")?.as_i64()?, read(one.get("preference"))?)))
                .collect(),
            tolerations: tolerations(spec),
            ports: ports(view),
            near: affinity(&["podAffinity", "requiredDuringSchedulingIgnoredDuringExecution"])
                .iter()
                .map(|term| PodTerm::read(term, namespace, labels))
                .collect(),
            apart: affinity(&["podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"])
                .iter()
                .map(|term| PodTerm::read(term, namespace, labels))
                .collect(),
            spread: list(spec, &["topologySpreadConstraints"]).iter().map(|one| Spread::read(one, labels)).collect(),
            claims: claims(view),
            siblings: siblings.or_else(|| meta.controller().map(|owner| owner.uid.to_owned())),
        })
    }
}

fn read<T: DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    T::deserialize(value?).ok()
}

fn ports(pod: PodView<'_>) -> BTreeSet<HostPort> {
    let mut ports = BTreeSet::new();
    let sidecars = pod.init_containers().iter().filter(|one| text(one, &["restartPolicy"]) == "Always");
    for port in pod.containers().iter().chain(sidecars).flat_map(|container| list(container, &["ports"])) {
        let number = port.get("hostPort").and_then(Value::as_u64).unwrap_or(0);
        if number > 0 {
            let or = |text: &str, default: &str| if text.is_empty() { default.to_owned() } else { text.to_owned() };
            ports.insert(HostPort {
                protocol: or(text(port, &["protocol"]), "TCP"),
                port: number,
                ip: or(text(port, &["hostIP"]), "0.0.0.0"),
            });
        }
    }
    ports
}

/// Names of the claims its volumes need; an ephemeral volume's claim is called after pod and volume.
fn claims(pod: PodView<'_>) -> Vec<String> {
    let claim = |volume: &Value| {
        if volume.get("ephemeral").is_some() {
            return Some(format!("{}-{}", pod.meta().name(), text(volume, &["name"])));
        }
        Some(text(volume, &["persistentVolumeClaim", "claimName"]).to_owned()).filter(|name| !name.is_empty())
    };
    pod.volumes().iter().filter_map(claim).collect()
}
