//! The cells of each built-in kind, in the order of its published columns.

use super::cell::Cell::{self, Age, Count, Name, Path, PathOrNone, Rule, Timed, Typed};
use super::cell::{joined, pairs};
use super::{event, network, pod, storage, workload};
use crate::view::{list, text};
use serde_json::{Value, json};

/// The cells of a resource, if it has any of its own.
pub fn of(group: &str, resource: &str) -> Option<&'static [Cell]> {
    TABLE.iter().find(|(g, r, _)| *g == group && *r == resource).map(|(_, _, cells)| *cells)
}

const RBAC: &str = "rbac.authorization.k8s.io";
const EVENT: &[Cell] = &[
    Timed(event::last_seen),
    Path(&["type"]),
    Path(&["reason"]),
    Rule(event::object),
    Rule(event::subobject),
    Rule(event::source),
    Rule(event::message),
    Timed(event::first_seen),
    Typed(event::count),
    Name,
];
const BINDING: &[Cell] = &[
    Name,
    Rule(role),
    Age,
    Rule(|binding| subjects(binding, "User")),
    Rule(|binding| subjects(binding, "Group")),
    Rule(|binding| subjects(binding, "ServiceAccount")),
];

const TABLE: &[(&str, &str, &[Cell])] = &[
    (
        "",
        "pods",
        &[
            Name,
            Rule(pod::ready),
            Rule(pod::status),
            Timed(pod::restarts),
            Age,
            PathOrNone(&["status", "podIP"]),
            PathOrNone(&["spec", "nodeName"]),
            PathOrNone(&["status", "nominatedNodeName"]),
            Rule(pod::readiness_gates),
        ],
    ),
    (
        "",
        "nodes",
        &[
            Name,
            Rule(pod::node_status),
            Rule(pod::node_roles),
            Age,
            Path(&["status", "nodeInfo", "kubeletVersion"]),
            Rule(|node| pod::node_address(node, "InternalIP")),
            Rule(|node| pod::node_address(node, "ExternalIP")),
            Rule(|node| pod::node_info(node, "osImage")),
            Rule(|node| pod::node_info(node, "kernelVersion")),
            Rule(|node| pod::node_info(node, "containerRuntimeVersion")),
        ],
    ),
    ("", "namespaces", &[Name, Path(&["status", "phase"]), Age]),
    ("", "configmaps", &[Name, Count(&["data", "binaryData"]), Age]),
    ("", "secrets", &[Name, Path(&["type"]), Count(&["data"]), Age]),
    ("", "serviceaccounts", &[Name, Age]),
    (
        "",
        "services",
        &[
            Name,
            Path(&["spec", "type"]),
            PathOrNone(&["spec", "clusterIP"]),
            Rule(network::external_ip),
            Rule(network::service_ports),
            Age,
            Rule(|service| pairs(&service["spec"]["selector"])),
        ],
    ),
    ("", "endpoints", &[Name, Rule(network::endpoints), Age]),
    (
        "",
        "persistentvolumeclaims",
        &[
            Name,
            Rule(storage::phase),
            Path(&["spec", "volumeName"]),
            Rule(storage::claim_capacity),
            Rule(storage::claim_modes),
            Path(&["spec", "storageClassName"]),
            Rule(storage::attributes_class),
            Age,
            Rule(storage::volume_mode),
        ],
    ),
    (
        "",
        "persistentvolumes",
        &[
            Name,
            Rule(|volume| text(volume, &["spec", "capacity", "storage"]).to_owned()),
            Rule(|volume| storage::modes(list(volume, &["spec", "accessModes"]))),
            Path(&["spec", "persistentVolumeReclaimPolicy"]),
            Rule(storage::phase),
            Rule(storage::claim_of),
            Path(&["spec", "storageClassName"]),
            Rule(storage::attributes_class),
            Path(&["status", "reason"]),
            Age,
            Rule(storage::volume_mode),
        ],
    ),
    ("", "events", EVENT),
    ("events.k8s.io", "events", EVENT),
    ("coordination.k8s.io", "leases", &[Name, Path(&["spec", "holderIdentity"]), Age]),
    (
        "discovery.k8s.io",
        "endpointslices",
        &[Name, Path(&["addressType"]), Rule(network::slice_ports), Rule(network::slice_addresses), Age],
    ),
    (
        "networking.k8s.io",
        "networkpolicies",
        &[Name, Rule(|policy| pairs(&policy["spec"]["podSelector"]["matchLabels"])), Age],
    ),
    (
        "storage.k8s.io",
        "storageclasses",
        &[
            Rule(storage::class_name),
            Path(&["provisioner"]),
            Path(&["reclaimPolicy"]),
            Path(&["volumeBindingMode"]),
            Rule(|class| class["allowVolumeExpansion"].as_bool().unwrap_or(false).to_string()),
            Age,
        ],
    ),
    (
        "scheduling.k8s.io",
        "priorityclasses",
        &[
            Name,
            Path(&["value"]),
            Typed(|class| json!(class["globalDefault"].as_bool().unwrap_or(false))),
            Age,
            Path(&["preemptionPolicy"]),
        ],
    ),
    (
        "apps",
        "controllerrevisions",
        &[Name, Rule(workload::controller), Typed(|one| workload::count(one, &["revision"])), Age],
    ),
    (
        "apps",
        "deployments",
        &[
            Name,
            Rule(workload::ready),
            Typed(|one| workload::count(one, &["status", "updatedReplicas"])),
            Typed(|one| workload::count(one, &["status", "availableReplicas"])),
            Age,
            Rule(workload::containers),
            Rule(workload::images),
            Rule(workload::selector),
        ],
    ),
    (
        "apps",
        "replicasets",
        &[
            Name,
            Typed(|one| workload::count(one, &["spec", "replicas"])),
            Typed(|one| workload::count(one, &["status", "replicas"])),
            Typed(|one| workload::count(one, &["status", "readyReplicas"])),
            Age,
            Rule(workload::containers),
            Rule(workload::images),
            Rule(workload::selector),
        ],
    ),
    ("apps", "statefulsets", &[Name, Rule(workload::ready), Age, Rule(workload::containers), Rule(workload::images)]),
    (
        "batch",
        "jobs",
        &[
            Name,
            Rule(workload::job_status),
            Rule(workload::completions),
            Timed(workload::job_duration),
            Age,
            Rule(workload::containers),
            Rule(workload::images),
            Rule(workload::selector),
        ],
    ),
    (
        "policy",
        "poddisruptionbudgets",
        &[
            Name,
            Rule(|one| workload::limit(one, "minAvailable")),
            Rule(|one| workload::limit(one, "maxUnavailable")),
            Typed(|one| workload::count(one, &["status", "disruptionsAllowed"])),
            Age,
        ],
    ),
    (RBAC, "roles", &[Name, Path(&["metadata", "creationTimestamp"])]),
    (RBAC, "clusterroles", &[Name, Path(&["metadata", "creationTimestamp"])]),
    (RBAC, "rolebindings", BINDING),
    (RBAC, "clusterrolebindings", BINDING),
    (
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        &[
            Name,
            Path(&["spec", "scope"]),
            Rule(versions),
            Path(&["metadata", "creationTimestamp"]),
            Path(&["spec", "group"]),
            Path(&["spec", "names", "kind"]),
            Rule(|crd| texts(list(crd, &["spec", "names", "shortNames"])).join(",")),
            Typed(established),
        ],
    ),
];

fn texts(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn role(binding: &Value) -> String {
    format!("{}/{}", text(binding, &["roleRef", "kind"]), text(binding, &["roleRef", "name"]))
}

fn subjects(binding: &Value, kind: &str) -> String {
    let named = list(binding, &["subjects"]).iter().filter(|subject| text(subject, &["kind"]) == kind);
    let names: Vec<String> = named
        .map(|subject| match text(subject, &["namespace"]) {
            "" => text(subject, &["name"]).to_owned(),
            namespace => format!("{namespace}/{}", text(subject, &["name"])),
        })
        .collect();
    names.join(", ")
}

fn versions(crd: &Value) -> String {
    joined(list(crd, &["spec", "versions"]).iter().map(|version| text(version, &["name"]).to_owned()))
}

fn established(crd: &Value) -> Value {
    let conditions = list(crd, &["status", "conditions"]);
    json!(conditions.iter().any(|c| text(c, &["type"]) == "Established" && text(c, &["status"]) == "True"))
}
