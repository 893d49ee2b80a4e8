//! The local provisioner: a folder becomes a volume.

use super::{MADE_BY, PROVISIONER};
use crate::index::Id;
use crate::resources;
use emberyard_object::ApiRequest;
use emberyard_object::view::{Meta, text};
use serde_json::{Value, json};

/// Creates a volume for the claim. The yard has one disk, so every node reaches it: no node affinity.
pub(super) fn volume(claim: &Value, class: &Value, folder: &str) -> ApiRequest {
    let name = format!("pvc-{}", Meta(claim).uid());
    let policy = match text(class, &["reclaimPolicy"]) {
        "" => "Delete",
        policy => policy,
    };
    let mut volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {MADE_BY: PROVISIONER}},
        "spec": {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": policy,
            "storageClassName": Meta(class).name(),
            "volumeMode": "Filesystem",
            "hostPath": {"path": format!("{}/{name}", folder.trim_end_matches('/')), "type": "DirectoryOrCreate"},
            "claimRef": reference(claim),
        },
    });
    if let Some(options) = class.get("mountOptions") {
        volume["spec"]["mountOptions"] = options.clone();
    }
    ApiRequest::create(&resources::persistent_volumes(), None, volume)
}

/// Marks an existing volume as meant for the claim.
pub(super) fn meant_for(volume: &Value, claim: &Value) -> ApiRequest {
    let resource = resources::persistent_volumes();
    let mut volume = volume.clone();
    volume["spec"]["claimRef"] = reference(claim);
    let id = Id::of(&resource, &volume);
    ApiRequest::update(&resource, id.at(), volume)
}

fn reference(claim: &Value) -> Value {
    let meta = Meta(claim);
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "namespace": meta.namespace(), "name": meta.name(), "uid": meta.uid(),
    })
}
