//! Who the notebook is to the API server, and what it may do: Spark's needs in its own namespace, nothing else.

use crate::labels::owned;
use crate::validate::Session;
use emberyard_model::notebook::{GROUP, NOTEBOOKS};
use serde_json::{Value, json};

pub(crate) fn service_account(session: &Session) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": owned(session, &session.identity.name),
    })
}

/// What a Spark driver was measured to ask: it creates, follows and removes executors, a ConfigMap, and volumes on
/// demand; in cluster mode services too, by server-side apply (`patch`).
pub(crate) fn role(session: &Session) -> Value {
    let all = ["create", "get", "list", "watch", "patch", "delete", "deletecollection"];
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": owned(session, &session.identity.name),
        "rules": [
            {"apiGroups": [""], "resources": ["pods", "configmaps", "services", "persistentvolumeclaims"], "verbs": all},
            {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
            // What its kernels tell their user: who waits for what.
            {"apiGroups": [GROUP], "resources": [NOTEBOOKS], "resourceNames": [session.identity.name], "verbs": ["get"]},
        ],
    })
}

pub(crate) fn role_binding(session: &Session) -> Value {
    let name = &session.identity.name;
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": owned(session, name),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": session.identity.namespace}],
    })
}
