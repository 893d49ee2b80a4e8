//! What is Emberyard's own in a new cluster.

use crate::Config;
use emberyard_object::view::text;
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// A rule of the core group.
fn core(resources: &[&str], verbs: &[&str]) -> Value {
    rule("", resources, verbs)
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
}

fn cluster_role(name: &str, rules: &[Value]) -> Value {
    json!({"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules})
}

fn bind(name: &str, role: &str, subject_kind: &str, subject: &str) -> Value {
    json!({"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": subject_kind, "name": subject}]})
}

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// What the operator does: notebooks, HDFS and what they consist of, nodes that come and go, sessions' roles.
fn operator_rules() -> Vec<Value> {
    vec![
        rule("emberyard.dev", &["notebooks", "notebooks/status", "notebooks/finalizers"], WRITE),
        rule("emberyard.dev", &["hdfsclusters", "hdfsclusters/status", "hdfsclusters/finalizers"], WRITE),
        rule("apps", &["statefulsets", "deployments"], WRITE),
        rule("policy", &["poddisruptionbudgets"], WRITE),
        rule("networking.k8s.io", &["networkpolicies"], WRITE),
        rule(
            "apiextensions.k8s.io",
            &["customresourcedefinitions"],
            &["get", "list", "watch", "create", "patch", "update"],
        ),
        core(&["pods", "services", "configmaps", "secrets", "persistentvolumeclaims", "serviceaccounts"], WRITE),
        core(&["pods/log", "pods/proxy"], &["get"]),
        core(&["pods/eviction"], &["create"]),
        core(&["persistentvolumes"], READ),
        core(&["namespaces"], &["get", "list", "watch", "create"]),
        core(&["nodes"], &["get", "list", "watch", "patch", "delete"]),
        core(&["events"], &["get", "list", "watch", "create", "patch", "update"]),
        rule("events.k8s.io", &["events"], &["get", "list", "watch", "create", "patch", "update"]),
        rule("coordination.k8s.io", &["leases"], WRITE),
        rule("discovery.k8s.io", &["endpointslices"], READ),
        rule("storage.k8s.io", &["storageclasses"], READ),
        // A session's account is given rights over its own namespace's pods and volumes, some of which (watching
        // config maps of others, say) the operator itself has no need of: hence escalate and bind, on roles only.
        rule(
            "rbac.authorization.k8s.io",
            &["roles"],
            &["get", "list", "watch", "create", "update", "patch", "delete", "escalate", "bind"],
        ),
        rule(
            "rbac.authorization.k8s.io",
            &["rolebindings"],
            &["get", "list", "watch", "create", "update", "patch", "delete"],
        ),
    ]
}

/// What the local provisioner and the controllers need beyond upstream's roles is bound here by name.
fn access() -> Vec<Value> {
    vec![
        bind("emberyard:node-proxier", "system:node-proxier", "Group", "system:nodes"),
        bind("emberyard:kubelet-api-admin", "system:kubelet-api-admin", "User", "kube-apiserver-kubelet-client"),
        // Agents remove the folders of given-back volumes, then the volumes.
        cluster_role("emberyard:local-volumes", &[core(&["persistentvolumes"], &["get", "list", "watch", "delete"])]),
        bind("emberyard:local-volumes", "emberyard:local-volumes", "Group", "system:nodes"),
        // Who keeps network policies on a node must know everybody's address, which a node as such need not.
        cluster_role(
            "emberyard:network",
            &[
                core(&["namespaces", "pods"], &["get", "list", "watch"]),
                rule("networking.k8s.io", &["networkpolicies"], &["get", "list", "watch"]),
            ],
        ),
        bind("emberyard:network", "emberyard:network", "Group", "emberyard:networks"),
        cluster_role("emberyard:operator", &operator_rules()),
        bind("emberyard:operator", "emberyard:operator", "Group", "emberyard:operators"),
    ]
}

/// The services and the endpoints a cluster finds itself by.
fn services(config: &Config) -> Vec<Value> {
    let network = u32::from(config.service_network);
    let first = std::net::Ipv4Addr::from(network + 1).to_string();
    let (address, port) = (config.advertise.0.to_string(), config.advertise.1);
    let family = if config.advertise.0.is_ipv4() { "IPv4" } else { "IPv6" };
    vec![
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "kubernetes", "namespace": "default",
                "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {"type": "ClusterIP", "clusterIP": first,
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}]}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": "kubernetes", "namespace": "default",
                "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "addressType": family,
            "endpoints": [{"addresses": [address], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}),
        json!({"apiVersion": "v1", "kind": "Endpoints",
            "metadata": {"name": "kubernetes", "namespace": "default",
                "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
            "subsets": [{"addresses": [{"ip": address}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}]}),
        // Each node's agent answers at this address itself, so nothing is selected.
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": "kube-system",
                "labels": {"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"}},
            "spec": {"type": "ClusterIP", "clusterIP": config.dns_service_ip.to_string(),
                "ports": [{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53}]}}),
    ]
}

fn storage_class() -> Value {
    json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": "local", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "emberyard.dev/local", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})
}

/// All of it, what others refer to first.
pub(super) fn objects(config: &Config) -> Vec<Value> {
    let mut objects = access();
    objects.extend(services(config));
    objects.push(storage_class());
    objects
}

/// Whether a live object is to follow what this version of the program says: our own roles, and where the server is.
pub(super) fn follows(live: &Value, wanted: &Value) -> bool {
    let name = text(wanted, &["metadata", "name"]);
    match text(wanted, &["kind"]) {
        "ClusterRole" => name.starts_with("emberyard:") && live["rules"] != wanted["rules"],
        "EndpointSlice" | "Endpoints" => name == "kubernetes",
        _ => false,
    }
}

/// The live object with the parts that follow replaced.
pub(super) fn brought_up(live: &Value, wanted: &Value) -> Value {
    let mut object = live.clone();
    for field in ["rules", "endpoints", "ports", "subsets"] {
        if let Some(value) = wanted.get(field) {
            object[field] = value.clone();
        }
    }
    object
}
