//! Who may reach an HDFS: it believes whatever name a client gives itself, so that being reached is being trusted.

use super::set::owned;
use super::validate::Plan;
use emberyard_model::hdfs::{CANARY_PORT, HDFS_LABEL, NAME_NODE_WEB_PORT};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Label that every namespace has with its own name:
/// <https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name>
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

/// The policy that lets in the pods of the HDFS's own namespace and of those that its spec names, and nobody else's pods.
///
/// What is no pod is let in: nodes, which look after their pods, and API servers, through which the operator and `kubectl
/// port-forward` reach NameNodes. So it can only be told where pods' addresses are known, by the ranges that nodes have for them.
/// Some clusters' API servers have pods that speak for them in `kube-system`; these may see the pages that say how it is.
pub fn network_policy(plan: &Plan, ranges: &BTreeSet<String>) -> Value {
    let named = |names: &[String]| {
        let one_of = json!({"key": NAMESPACE_LABEL, "operator": "In", "values": names});
        json!({"namespaceSelector": {"matchExpressions": [one_of]}})
    };
    let mut from = vec![json!({"podSelector": {}}), json!({"ipBlock": {"cidr": "0.0.0.0/0", "except": ranges}})];
    if !plan.client_namespaces.is_empty() {
        from.push(named(&plan.client_namespaces));
    }
    let pages = [NAME_NODE_WEB_PORT, CANARY_PORT].map(|port| json!({"protocol": "TCP", "port": port}));
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": owned(plan, &plan.names().clients(), "clients"),
        "spec": {
            "podSelector": {"matchLabels": {HDFS_LABEL: plan.identity.name}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": from}, {"from": [named(&["kube-system".to_owned()])], "ports": pages}],
        },
    })
}

impl Plan {
    /// Whether pods of a namespace may reach it.
    pub fn lets_in(&self, namespace: &str) -> bool {
        self.identity.namespace == namespace || self.client_namespaces.iter().any(|one| one == namespace)
    }
}
