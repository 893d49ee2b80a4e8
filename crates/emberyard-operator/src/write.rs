//! Writing the objects that manifests are made of, and the status of our own.

use crate::view::Key;
use emberyard_client::{ApiError, Client, ContentKind, path};
use serde_json::{Value, json};

/// Makes an object if it is missing; leaves it as it is otherwise.
pub async fn create_once(client: &Client, object: &Value) -> Result<(), ApiError> {
    if client.find(&of(object)).await?.is_some() {
        return Ok(());
    }
    match client.create(&collection(object), object).await {
        Err(error) if !error.is_already_exists() => Err(error),
        _ => Ok(()),
    }
}

/// Writes the status of one of our resources, by its path. What is not said stays.
pub async fn status(client: &Client, path: &str, status: &Value) -> Result<(), ApiError> {
    match client.patch(&format!("{path}/status"), &json!({"status": status}), ContentKind::MergePatch).await {
        Err(error) if !error.is_not_found() => Err(error), // deleted meanwhile: nobody to tell
        _ => Ok(()),
    }
}

/// The path of an object.
pub fn of(object: &Value) -> String {
    format!("{}/{}", collection(object), Key::of(object).name)
}

/// The path of an object's collection. The kinds are those that manifests make.
pub fn collection(object: &Value) -> String {
    let resource = match object["kind"].as_str().unwrap_or_default() {
        "ServiceAccount" => "serviceaccounts",
        "Role" => "roles",
        "RoleBinding" => "rolebindings",
        "ConfigMap" => "configmaps",
        "Service" => "services",
        "PersistentVolumeClaim" => "persistentvolumeclaims",
        "Secret" => "secrets",
        "StatefulSet" => "statefulsets",
        "Deployment" => "deployments",
        "PodDisruptionBudget" => "poddisruptionbudgets",
        "NetworkPolicy" => "networkpolicies",
        _ => "pods",
    };
    let api_version = object["apiVersion"].as_str().unwrap_or("v1");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    path(group, version, &Key::of(object).namespace, resource, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_objects_live() {
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"namespace": "d", "name": "a"}});
        assert_eq!(of(&role), "/apis/rbac.authorization.k8s.io/v1/namespaces/d/roles/a");
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"namespace": "d", "name": "a"}});
        assert_eq!(of(&set), "/apis/apps/v1/namespaces/d/statefulsets/a");
        let policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"namespace": "d", "name": "a"}});
        assert_eq!(of(&policy), "/apis/networking.k8s.io/v1/namespaces/d/networkpolicies/a");
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "d", "name": "a-0"}});
        assert_eq!(collection(&pod), "/api/v1/namespaces/d/pods");
    }
}
