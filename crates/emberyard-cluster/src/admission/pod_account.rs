//! As whom a pod speaks to the API server, and with which token.

use crate::call::{Call, Place};
use crate::entropy;
use crate::failure::{Failure, Outcome};
use emberyard_object::view::{Meta, PodView, at, list, text};
use serde_json::{Value, json};

const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn admit(call: &mut Call<'_>, place: &Place, object: &mut Value) -> Outcome<()> {
    if Meta(object).annotation("kubernetes.io/config.mirror").is_some() {
        return Ok(());
    }
    let named = [PodView(object).service_account(), text(object, &["spec", "serviceAccount"]), "default"];
    let name = named.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_owned();
    let namespace = place.namespace();
    let Some(account) = call.server.store.get("serviceaccounts", namespace, &name).cloned() else {
        let why = format!("error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found");
        return Err(Failure::forbidden(place.gvr(), Meta(object).name(), why));
    };
    object["spec"]["serviceAccountName"] = json!(name);
    object["spec"]["serviceAccount"] = json!(name);
    if list(object, &["spec", "imagePullSecrets"]).is_empty() {
        let secrets = list(&account.value, &["imagePullSecrets"]);
        if !secrets.is_empty() {
            object["spec"]["imagePullSecrets"] = json!(secrets);
        }
    }
    let switch = |value: &Value, path: &[&str]| at(value, path).and_then(Value::as_bool);
    let mounts = switch(object, &["spec", "automountServiceAccountToken"])
        .or_else(|| switch(&account.value, &["automountServiceAccountToken"]))
        .unwrap_or(true);
    if mounts {
        mount_token(call, object);
    }
    Ok(())
}

/// Gives every container that has nothing there the token, the cluster's CA and the namespace.
fn mount_token(call: &mut Call<'_>, object: &mut Value) {
    let volume = format!("kube-api-access-{}", entropy::name_suffix(call.entropy));
    let mut used = false;
    for kind in ["initContainers", "containers"] {
        let containers = object["spec"].get_mut(kind).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            if !container.is_object()
                || list(container, &["volumeMounts"]).iter().any(|mount| text(mount, &["mountPath"]) == MOUNT)
            {
                continue;
            }
            used = true;
            let mount = json!({"name": volume, "readOnly": true, "mountPath": MOUNT});
            match container["volumeMounts"].as_array_mut() {
                Some(mounts) => mounts.push(mount),
                None => container["volumeMounts"] = json!([mount]),
            }
        }
    }
    if !used {
        return;
    }
    let volume = json!({"name": volume, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace",
            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
    ]}});
    match object["spec"]["volumes"].as_array_mut() {
        Some(volumes) => volumes.push(volume),
        None => object["spec"]["volumes"] = json!([volume]),
    }
}
