//! What the StatefulSets of all parts have in common, and the service and the disruption budget beside each.

use super::data_node;
use super::names::HDFS_USER;
use super::validate::Plan;
use super::zones;
use crate::labels::{MANAGED_BY, owner};
use crate::storage::claim;
use emberyard_model::Quantity;
use emberyard_model::hdfs::{COMPONENT_LABEL, HDFS_KIND, HDFS_LABEL};
use serde_json::{Map, Value, json};

/// Where the configuration is mounted.
pub(crate) const ETC: &str = "/etc/hdfs";
/// Where a part's volume is mounted.
pub(crate) const DATA: &str = "/data";

/// The volumes of a pod that has so many: their names, and where they are mounted.
pub(crate) fn disks(count: u32) -> impl Iterator<Item = (String, String)> {
    let first = ("data".to_owned(), DATA.to_owned());
    std::iter::once(first).chain((1..count).map(|number| (format!("data-{number}"), format!("{DATA}-{number}"))))
}

/// A part of the HDFS that has volumes and names of its own.
pub(crate) struct Part<'a> {
    /// `namenode` and so on.
    pub name: &'static str,
    /// How many.
    pub count: u32,
    /// Ports of its service, by name.
    pub ports: &'a [(&'static str, u16)],
    /// Bytes of each volume.
    pub volume: Quantity,
    /// Volumes of each one.
    pub disks: u32,
    /// Containers that prepare the volume.
    pub prepare: Vec<Value>,
    /// Containers that serve.
    pub containers: Vec<Value>,
    /// Further volumes.
    pub volumes: Vec<Value>,
    /// How its pods are replaced by those of a new template.
    pub replaced: Replaced,
    /// Which of its pods may be evicted.
    pub evicted: Evicted,
}

/// Which pods of a part may be evicted, by whoever drains their node.
#[derive(Clone, Copy)]
pub(crate) enum Evicted {
    /// Any of them, one at a time of these parts together.
    OneAtATimeOf(&'static [&'static str]),
    /// As the budget of another part says, which counts them, too: a pod may have only one.
    AsAnother,
    /// Those with this label. Who gives it does not evict them himself: whoever drains a node asks again and again, by name,
    /// and would ask for the pod that took its place.
    OnceLabelled(&'static str),
}

/// Who replaces pods when their template changes.
#[derive(Clone, Copy)]
pub(crate) enum Replaced {
    /// The set, one after the other, the last first.
    ByTheSet,
    /// Whoever knows which of them can go.
    ByTheOperator,
}

/// Service, disruption budget and StatefulSet of a part.
pub(crate) fn objects(plan: &Plan, part: Part<'_>) -> Vec<Value> {
    let name = plan.names().part(part.name);
    let selector = selector(plan, part.name);
    let ports: Vec<Value> = part.ports.iter().map(|(name, port)| json!({"name": name, "port": port})).collect();
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": owned(plan, &name, part.name),
        // Servers look each other up before they are ready: a JournalNode's name that is unknown ends a format.
        "spec": {"clusterIP": "None", "publishNotReadyAddresses": true, "selector": selector, "ports": ports},
    });
    let budget = match part.evicted {
        Evicted::OneAtATimeOf(parts) => {
            let of_these = json!([{"key": COMPONENT_LABEL, "operator": "In", "values": parts}]);
            let hdfs = json!({HDFS_LABEL: plan.identity.name});
            Some(json!({
                "maxUnavailable": 1,
                "selector": {"matchLabels": hdfs, "matchExpressions": of_these},
                // One that does not serve has nothing to lose, and what keeps it from serving may be what is to be replaced.
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            }))
        }
        Evicted::AsAnother => None,
        Evicted::OnceLabelled(label) => {
            let without = json!([{"key": label, "operator": "DoesNotExist"}]);
            Some(json!({"maxUnavailable": 0, "selector": {"matchLabels": selector, "matchExpressions": without}}))
        }
    };
    let budget = budget.map(|spec| {
        json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": owned(plan, &name, part.name),
            "spec": spec,
        })
    });
    let volume = claim(part.volume, plan.storage_class.as_deref());
    let volumes = disks(part.disks).map(|(name, _)| json!({"metadata": {"name": name}, "spec": volume}));
    let set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": owned(plan, &name, part.name),
        "spec": {
            "serviceName": name,
            "replicas": part.count,
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": match part.replaced {
                Replaced::ByTheSet => "RollingUpdate",
                Replaced::ByTheOperator => "OnDelete",
            }},
            "selector": {"matchLabels": selector},
            "template": template(plan, part.name, part.prepare, part.containers, part.volumes),
            "volumeClaimTemplates": volumes.collect::<Vec<_>>(),
        },
    });
    [Some(service), budget, Some(set)].into_iter().flatten().collect()
}

/// Affinity of pods that spread over nodes: where they can, or however long nodes take to come.
fn apart(plan: &Plan, part: &str) -> Value {
    let others = json!({
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": selector(plan, part)},
    });
    if plan.apart() && part == data_node::PART {
        json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [others]}})
    } else {
        let preferred = json!({"weight": 100, "podAffinityTerm": others});
        json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]}})
    }
}

/// A template of pods that spread over nodes.
pub(crate) fn template(
    plan: &Plan,
    part: &str,
    prepare: Vec<Value>,
    containers: Vec<Value>,
    mut volumes: Vec<Value>,
) -> Value {
    volumes.push(json!({
        // NameNodes execute the script that tells where an address is.
        "name": "config", "configMap": {"name": plan.names().config(), "defaultMode": 0o555},
    }));
    let spread = plan.by_zone().then(|| {
        json!([{
            "maxSkew": 1, "topologyKey": zones::LABEL, "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector(plan, part)},
        }])
    });
    let mut template = json!({
        "metadata": {"labels": labels(plan, part)},
        "spec": {
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "affinity": apart(plan, part),
            "initContainers": prepare,
            "containers": containers,
            "volumes": volumes,
        },
    });
    if let Some(spread) = spread {
        template["spec"]["topologySpreadConstraints"] = spread;
    }
    template
}

/// What a container of an HDFS runs, and what it takes.
pub(crate) struct Runs<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its command.
    pub command: Value,
    /// Memory it asks for, MiB: what its process was measured to have without a class-data archive, and some room.
    pub memory: u32,
}

/// A container with the configuration and the part's volume.
pub(crate) fn container(plan: &Plan, runs: &Runs<'_>) -> Map<String, Value> {
    let container = json!({
        "name": runs.name,
        "image": plan.image,
        "command": runs.command,
        "env": [
            {"name": "HADOOP_CONF_DIR", "value": ETC},
            {"name": "HADOOP_USER_NAME", "value": HDFS_USER},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        "resources": {"requests": {"cpu": "50m", "memory": format!("{}Mi", runs.memory)}},
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [
            {"name": "config", "mountPath": ETC, "readOnly": true},
            {"name": "data", "mountPath": DATA},
        ],
    });
    match container {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The handler of a probe that looks whether somebody listens on a port.
pub(crate) fn answers(port: u16) -> Value {
    json!({"tcpSocket": {"port": port}})
}

/// A part of one container each, called as the part is.
pub(crate) struct Server<'a> {
    /// `journalnode` and so on.
    pub name: &'static str,
    /// How many.
    pub count: u32,
    /// Ports of its service, by name.
    pub ports: &'a [(&'static str, u16)],
    /// What says that it is ready: [`answers`], or another probe's handler.
    pub ready: Value,
    /// Bytes of each volume.
    pub volume: Quantity,
    /// Volumes of each one.
    pub disks: u32,
    /// See [`Runs`].
    pub command: Value,
    /// See [`Runs`].
    pub memory: u32,
    /// See [`Part`].
    pub evicted: Evicted,
}

/// All objects of such a part.
pub(crate) fn servers(plan: &Plan, server: Server<'_>) -> Vec<Value> {
    let Server { name, count, ports, mut ready, volume, disks: all, command, memory, evicted } = server;
    let mut container = container(plan, &Runs { name, command, memory });
    if ready["periodSeconds"].is_null() {
        ready["periodSeconds"] = json!(1);
    }
    ready["timeoutSeconds"] = json!(2);
    ready["failureThreshold"] = json!(5);
    container.insert("readinessProbe".to_owned(), ready);
    if let Some(mounts) = container.get_mut("volumeMounts").and_then(Value::as_array_mut) {
        // The first is mounted in every container.
        mounts.extend(disks(all).skip(1).map(|(name, path)| json!({"name": name, "mountPath": path})));
    }
    let containers = vec![container.into()];
    objects(
        plan,
        Part {
            name,
            count,
            ports,
            volume,
            disks: all,
            prepare: Vec::new(),
            containers,
            volumes: Vec::new(),
            replaced: Replaced::ByTheSet,
            evicted,
        },
    )
}

/// What services and sets select a part's pods by.
pub(crate) fn selector(plan: &Plan, part: &str) -> Value {
    json!({HDFS_LABEL: plan.identity.name, COMPONENT_LABEL: part})
}

/// All labels of a part; `app` and `release` are those of the tutorial's chart.
pub(crate) fn labels(plan: &Plan, part: &str) -> Value {
    json!({
        "app": format!("hdfs-{part}"),
        "release": plan.identity.name,
        "app.kubernetes.io/name": "hdfs",
        "app.kubernetes.io/instance": plan.identity.name,
        COMPONENT_LABEL: part,
        "app.kubernetes.io/managed-by": MANAGED_BY,
        HDFS_LABEL: plan.identity.name,
    })
}

/// Metadata of an object that goes when the HdfsCluster goes.
pub(crate) fn owned(plan: &Plan, name: &str, part: &str) -> Value {
    json!({
        "name": name,
        "namespace": plan.identity.namespace,
        "labels": labels(plan, part),
        "ownerReferences": [owner(HDFS_KIND, &plan.identity)],
    })
}
