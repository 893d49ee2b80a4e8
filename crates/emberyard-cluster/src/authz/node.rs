//! What a node's agent may: its own node, the pods bound to it, and what those pods refer to.
//!
//! The rules of upstream's Node authorizer, found by looking at the node's pods instead of keeping a graph.

use super::{Attributes, Rule};
use crate::User;
use crate::store::{Object, Store};
use emberyard_object::view::{PodView, at, list, text};
use serde_json::Value;
use std::sync::Arc;

/// The node's name, if the user is one.
pub(crate) fn node_name(user: &User) -> Option<&str> {
    user.name.strip_prefix("system:node:").filter(|_| user.in_group("system:nodes"))
}

pub(super) fn allows(store: &Store, user: &User, wanted: &Attributes<'_>) -> bool {
    let Some(node) = node_name(user) else { return false };
    if wanted.path.is_some() {
        return false;
    }
    let reads = matches!(wanted.verb, "get" | "list" | "watch");
    let named_here = || !wanted.name.is_empty() && wanted.namespace.is_some();
    match (wanted.group, wanted.resource, wanted.subresource) {
        ("", "secrets" | "configmaps" | "persistentvolumeclaims", "") => {
            reads && named_here() && pods_of(store, node, wanted.namespace).any(|pod| refers(&pod.value, wanted))
        }
        ("", "persistentvolumes", "") => reads && !wanted.name.is_empty() && uses_volume(store, node, wanted.name),
        ("", "serviceaccounts", "") => reads && named_here() && runs_as(store, node, wanted),
        ("", "serviceaccounts", "token") => wanted.verb == "create" && named_here() && runs_as(store, node, wanted),
        ("", "pods", "") if reads => {
            wanted.on_node == node
                || (wanted.verb == "get"
                    && pods_of(store, node, wanted.namespace).any(|pod| *pod.key.name == *wanted.name))
        }
        ("", "nodes", "") if reads => wanted.name == node,
        ("coordination.k8s.io", "leases", "") => {
            wanted.namespace == Some("kube-node-lease")
                && matches!(wanted.verb, "get" | "create" | "update" | "patch" | "delete")
                && (wanted.verb == "create" || wanted.name == node)
        }
        _ => system_node_rules(store).any(|rule| rule.allows(wanted)),
    }
}

/// What is left to the cluster role `system:node`, which is bound to nobody.
fn system_node_rules(store: &Store) -> impl Iterator<Item = Rule> {
    let role = store.get("clusterroles.rbac.authorization.k8s.io", "", "system:node");
    role.map(|role| Rule::read_all(&role.value)).unwrap_or_default().into_iter()
}

fn pods_of<'a>(store: &'a Store, node: &'a str, namespace: Option<&'a str>) -> impl Iterator<Item = &'a Arc<Object>> {
    store.list("pods", namespace).filter(move |pod| PodView(&pod.value).node_name() == node)
}

fn runs_as(store: &Store, node: &str, wanted: &Attributes<'_>) -> bool {
    pods_of(store, node, wanted.namespace).any(|pod| PodView(&pod.value).service_account() == wanted.name)
}

fn uses_volume(store: &Store, node: &str, volume: &str) -> bool {
    let claims = store.list("persistentvolumeclaims", None);
    claims.filter(|claim| text(&claim.value, &["spec", "volumeName"]) == volume).any(|claim| {
        let wanted = Attributes { resource: "persistentvolumeclaims", name: &claim.key.name, ..Attributes::default() };
        pods_of(store, node, Some(&claim.key.namespace)).any(|pod| refers(&pod.value, &wanted))
    })
}

/// Whether a pod mentions a secret, config map or claim.
fn refers(pod: &Value, wanted: &Attributes<'_>) -> bool {
    let view = PodView(pod);
    let named = |value: Option<&Value>| value.and_then(Value::as_str) == Some(wanted.name);
    let (volume, source, env_key, env_from): (&[&str], &[&str], &str, &str) = match wanted.resource {
        "secrets" => (&["secret", "secretName"], &["secret", "name"], "secretKeyRef", "secretRef"),
        "configmaps" => (&["configMap", "name"], &["configMap", "name"], "configMapKeyRef", "configMapRef"),
        _ => {
            let template = |v: &Value| {
                v.get("ephemeral").is_some() && wanted.name == format!("{}-{}", view.meta().name(), text(v, &["name"]))
            };
            let claim = |v: &Value| named(at(v, &["persistentVolumeClaim", "claimName"])) || template(v);
            return view.volumes().iter().any(claim);
        }
    };
    let in_volume =
        |v: &Value| named(at(v, volume)) || list(v, &["projected", "sources"]).iter().any(|s| named(at(s, source)));
    let in_container = |c: &Value| {
        list(c, &["env"]).iter().any(|e| named(at(e, &["valueFrom", env_key, "name"])))
            || list(c, &["envFrom"]).iter().any(|e| named(at(e, &[env_from, "name"])))
    };
    view.volumes().iter().any(in_volume)
        || view.containers().iter().chain(view.init_containers()).any(in_container)
        || (wanted.resource == "secrets"
            && list(pod, &["spec", "imagePullSecrets"]).iter().any(|s| named(s.get("name"))))
}
