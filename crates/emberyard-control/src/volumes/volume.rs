//! What a volume lacks: the right phase, and the word that it may go when its claim is gone.

use super::{MADE_BY, PROVISIONER, RECLAIM};
use crate::index::{Id, Index};
use crate::resources;
use emberyard_object::ApiRequest;
use emberyard_object::view::{Meta, at, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What to do for a volume.
pub(super) enum Next {
    Nothing,
    Do(ApiRequest),
    /// Before data may go: is the claim, that no watch shows, really not there?
    Ask {
        request: ApiRequest,
        /// Its uid.
        claim: String,
    },
}

pub(super) fn next_step(index: &Index, name: &str, gone: &BTreeSet<String>) -> Next {
    let resource = resources::persistent_volumes();
    let Some(volume) = index.find(&resource, "", name).filter(|volume| !Meta(volume).is_deleting()) else {
        return Next::Nothing;
    };
    let claims = resources::persistent_volume_claims();
    let meant = |field: &str| text(volume, &["spec", "claimRef", field]);
    let claim = index.find(&claims, meant("namespace"), meant("name"));
    if at(volume, &["spec", "claimRef"]).is_none_or(Value::is_null) || meant("uid").is_empty() {
        return phase(volume, "Available");
    }
    match claim {
        Some(claim) if Meta(claim).uid() == meant("uid") => {
            if text(claim, &["spec", "volumeName"]) == name {
                phase(volume, "Bound")
            } else {
                Next::Nothing
            }
        }
        _ if !gone.contains(meant("uid")) => Next::Ask {
            request: ApiRequest::get(&claims, (Some(meant("namespace")), meant("name"))),
            claim: meant("uid").to_owned(),
        },
        _ => release(volume),
    }
}

/// The claim is gone: keep the data, or say that it may be removed. Who holds the disk removes the folder, then the volume.
fn release(volume: &Value) -> Next {
    let resource = resources::persistent_volumes();
    let id = Id::of(&resource, volume);
    if text(volume, &["status", "phase"]) != "Released" {
        return phase(volume, "Released");
    }
    let meta = Meta(volume);
    let ours = meta.annotation(MADE_BY) == Some(PROVISIONER);
    if text(volume, &["spec", "persistentVolumeReclaimPolicy"]) != "Delete" || !ours {
        return Next::Nothing;
    }
    if meta.annotation(RECLAIM).is_none() {
        let mut volume = volume.clone();
        volume["metadata"]["annotations"][RECLAIM] = volume["spec"]["hostPath"]["path"].clone();
        return Next::Do(ApiRequest::update(&resource, id.at(), volume));
    }
    Next::Nothing
}

fn phase(volume: &Value, phase: &str) -> Next {
    if text(volume, &["status", "phase"]) == phase {
        return Next::Nothing;
    }
    let resource = resources::persistent_volumes();
    let id = Id::of(&resource, volume);
    let mut volume = volume.clone();
    volume["status"]["phase"] = json!(phase);
    Next::Do(ApiRequest::update_status(&resource, id.at(), volume))
}
