//! Objects that pods refer to. A node may read only those of its own pods, by name.

use super::Node;
use emberyard_client::{ApiError, path};
use emberyard_pod::Sources;
use emberyard_pod::volumes::TokenRequest;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Reads ConfigMaps and Secrets. Those that do not exist are absent from the answer. While the API server is away,
/// what was read `before` stands.
pub(super) async fn sources(
    node: &Node,
    namespace: &str,
    (maps, secrets): (&BTreeSet<String>, &BTreeSet<String>),
    before: &Sources,
) -> Result<Sources, ApiError> {
    Ok(Sources {
        config_maps: all(node, namespace, "configmaps", maps, &before.config_maps).await?,
        secrets: all(node, namespace, "secrets", secrets, &before.secrets).await?,
    })
}

async fn all(
    node: &Node,
    namespace: &str,
    resource: &str,
    names: &BTreeSet<String>,
    before: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, ApiError> {
    let mut found = BTreeMap::new();
    for name in names {
        let old = before.get(name);
        if let Some(old) = old.filter(|o| o["immutable"] == true) {
            found.insert(name.clone(), old.clone());
            continue;
        }
        match node.client.find(&path("", "v1", namespace, resource, name)).await {
            Ok(Some(object)) => _ = found.insert(name.clone(), object),
            Ok(None) => {}
            // A real API server says 403 for what does not exist or is not known to be ours yet.
            Err(error) if error.status == 403 => {}
            Err(error) => match old {
                Some(old) if error.is_passing() => _ = found.insert(name.clone(), old.clone()),
                _ => return Err(error),
            },
        }
    }
    Ok(found)
}

/// Asks for a token of the pod's service account, bound to the pod.
pub(super) async fn token(
    node: &Node,
    pod: &emberyard_pod::Pod,
    wanted: &TokenRequest,
) -> Result<(String, String), ApiError> {
    let (namespace, account) = (&pod.metadata.namespace, &pod.spec.service_account_name);
    let account = if account.is_empty() { "default" } else { account };
    let audiences = if wanted.audience.is_empty() { json!([]) } else { json!([wanted.audience]) };
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": audiences, "expirationSeconds": wanted.expiration, "boundObjectRef": {
            "apiVersion": "v1", "kind": "Pod", "name": pod.metadata.name, "uid": pod.metadata.uid}},
    });
    let target = format!("{}/token", path("", "v1", namespace, "serviceaccounts", account));
    let answer = node.client.create(&target, &request).await?;
    let text = |field: &str| answer["status"][field].as_str().unwrap_or_default().to_owned();
    Ok((text("token"), text("expirationTimestamp")))
}
