//! Carries a decision out: the only place where notebooks' objects are written.

use super::decide::{Decision, PodAction};
use crate::config::OperatorConfig;
use crate::run::FIELD_MANAGER;
use crate::view::Key;
use emberyard_client::{ApiError, Client, path};
use emberyard_manifest::{Session, token_secret};
use serde_json::Value;

/// Proof that everything was written; without it no status may claim so.
#[derive(Debug)]
pub struct Applied(());

/// Writes everything but the pod. Safe to repeat.
pub async fn surroundings(config: &OperatorConfig, session: &Session, decision: &Decision) -> Result<(), ApiError> {
    for object in &decision.apply {
        config.client.apply(&of(object), object, FIELD_MANAGER).await?;
    }
    for object in &decision.once {
        create_once(&config.client, object).await?;
    }
    if decision.makes_token {
        let mut random = [0; 24];
        (config.entropy)(&mut random);
        create_once(&config.client, &token_secret(session, &random)).await?;
    }
    Ok(())
}

/// Makes or ends the pod.
pub async fn pod(client: &Client, session: &Session, action: &PodAction) -> Result<Applied, ApiError> {
    match action {
        PodAction::Leave => {}
        PodAction::Create(pod) => {
            match client.create(&collection(pod), pod).await {
                Ok(_) => {}
                // The watch is behind; its next event decides anew.
                Err(error) if error.is_already_exists() => {}
                Err(error) => return Err(error),
            }
        }
        PodAction::Delete(why) => {
            let name = session.names().pod();
            tracing::info!(pod = %name, why, "the notebook's pod is deleted");
            client.delete(&path("", "v1", &session.identity.namespace, "pods", &name)).await?;
        }
    }
    Ok(Applied(()))
}

async fn create_once(client: &Client, object: &Value) -> Result<(), ApiError> {
    if client.find(&of(object)).await?.is_some() {
        return Ok(());
    }
    match client.create(&collection(object), object).await {
        Err(error) if !error.is_already_exists() => Err(error),
        _ => Ok(()),
    }
}

fn of(object: &Value) -> String {
    format!("{}/{}", collection(object), Key::of(object).name)
}

/// The path of an object's collection. The kinds are those that the manifest makes.
fn collection(object: &Value) -> String {
    let resource = match object["kind"].as_str().unwrap_or_default() {
        "ServiceAccount" => "serviceaccounts",
        "Role" => "roles",
        "RoleBinding" => "rolebindings",
        "ConfigMap" => "configmaps",
        "Service" => "services",
        "PersistentVolumeClaim" => "persistentvolumeclaims",
        "Secret" => "secrets",
        _ => "pods",
    };
    let api_version = object["apiVersion"].as_str().unwrap_or("v1");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    path(group, version, &Key::of(object).namespace, resource, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn where_objects_live() {
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"namespace": "d", "name": "a"}});
        assert_eq!(of(&role), "/apis/rbac.authorization.k8s.io/v1/namespaces/d/roles/a");
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "d", "name": "a-0"}});
        assert_eq!(collection(&pod), "/api/v1/namespaces/d/pods");
    }
}
