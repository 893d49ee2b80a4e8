//! Persistent volumes: claims get theirs, found or made; what is given back is cleared away.

mod claim;
mod making;
mod protection;
mod volume;

#[cfg(test)]
mod tests;

pub(crate) use protection::{ClaimProtection, VolumeProtection};

use crate::index::Index;
use crate::reconcile::{Reconciler, Seen, Work};
use crate::{Change, Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, list, text};
use emberyard_object::{ApiRequest, Gvr, Method};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Name of our provisioner in storage classes.
pub(crate) const PROVISIONER: &str = "emberyard.dev/local";
/// Annotation of volumes whose data may be removed: the volume's folder.
pub(crate) const RECLAIM: &str = "emberyard.dev/reclaim";
/// Annotation that names who made a volume.
const MADE_BY: &str = "pv.kubernetes.io/provisioned-by";

/// Binder and provisioner.
#[derive(Debug)]
pub(crate) struct VolumeBinder {
    folder: String,
    /// Claims, by uid, that are known to be gone although a volume is still meant for them.
    gone: BTreeSet<String>,
    /// Of which claim (by uid) the server was asked for the sake of which volume.
    asked: BTreeMap<String, String>,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Claim(String, String),
    Volume(String),
}

impl VolumeBinder {
    /// Volumes are made as folders below `folder`.
    pub(crate) fn new(folder: String) -> Self {
        Self { folder, gone: BTreeSet::new(), asked: BTreeMap::new() }
    }
}

impl Reconciler for VolumeBinder {
    type Key = Key;

    fn name(&self) -> &'static str {
        "persistent-volume-binder"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![
            resources::persistent_volume_claims(),
            resources::persistent_volumes(),
            resources::storage_classes(),
            resources::pods(),
        ]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource == resources::pods() {
            return protection::keep_pod(object);
        }
        trim::without_managed_fields(object)
    }

    fn affected(&mut self, seen: Seen<'_>, index: &Index, _now: Timestamp) -> Vec<Key> {
        let (namespace, name) = (seen.id.namespace.clone(), seen.id.name.clone());
        let claims = || index.all(&resources::persistent_volume_claims());
        let unbound = |claim: &&Value| text(claim, &["spec", "volumeName"]).is_empty();
        let key = |claim: &Value| Key::Claim(Meta(claim).namespace().to_owned(), Meta(claim).name().to_owned());
        if seen.is(&resources::persistent_volume_claims()) {
            let volume = text(seen.object, &["spec", "volumeName"]).to_owned();
            let mut keys = vec![Key::Claim(namespace, name)];
            if seen.change == Change::Deleted {
                let meant = |volume: &&Value| claim::is_meant(volume, seen.object);
                let volumes = index.all(&resources::persistent_volumes()).filter(meant);
                keys.extend(volumes.map(|volume| Key::Volume(Meta(volume).name().to_owned())));
                if keys.len() > 1 {
                    self.gone.insert(Meta(seen.object).uid().to_owned());
                }
            } else if !volume.is_empty() {
                keys.push(Key::Volume(volume));
            }
            return keys;
        }
        if seen.is(&resources::persistent_volumes()) {
            if seen.change == Change::Deleted {
                self.gone.remove(text(seen.object, &["spec", "claimRef", "uid"]));
            }
            let bound =
                claims().filter(|claim| text(claim, &["spec", "volumeName"]) == name || unbound(claim)).map(key);
            return bound.chain([Key::Volume(name.clone())]).collect();
        }
        if seen.is(&resources::storage_classes()) {
            return claims().filter(unbound).map(key).collect();
        }
        // A pod: a claim of a class that waits for its first consumer may have waited for this one.
        list(seen.object, &["spec", "volumes"])
            .iter()
            .map(|volume| text(volume, &["persistentVolumeClaim", "claimName"]))
            .filter_map(|claim| index.find(&resources::persistent_volume_claims(), &namespace, claim))
            .filter(unbound)
            .map(key)
            .collect()
    }

    fn reconcile(&mut self, key: &Key, index: &Index, _now: Timestamp, _rng: Rng<'_>) -> Work {
        match key {
            Key::Claim(namespace, name) => {
                claim::next_step(index, namespace, name, &self.folder).map(Work::one).unwrap_or_default()
            }
            Key::Volume(name) => match volume::next_step(index, name, &self.gone) {
                volume::Next::Nothing => Work::default(),
                volume::Next::Do(request) => Work::one(request),
                volume::Next::Ask { request, claim } => {
                    self.asked.insert(name.clone(), claim);
                    Work::one(request)
                }
            },
        }
    }

    fn answered(&mut self, key: &Key, request: &ApiRequest, status: u16, body: &Value) -> bool {
        let Key::Volume(volume) = key else { return false };
        if request.method != Method::Get {
            return false;
        }
        let Some(claim) = self.asked.remove(volume) else { return false };
        let gone = status == 404 || status == 200 && Meta(body).uid() != claim;
        gone && self.gone.insert(claim)
    }
}
