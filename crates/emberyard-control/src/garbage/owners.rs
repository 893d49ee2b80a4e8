//! The owners of one object: alive, waiting for it to go, gone, or unknown.

use super::FOREGROUND;
use super::absent::Absent;
use crate::index::{Id, Index};
use emberyard_object::ApiRequest;
use emberyard_object::view::{Meta, list, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Owners by what they are.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// How many are alive.
    pub solid: usize,
    /// Whether one of these is known by asking only.
    pub unwatched: bool,
    /// Those being deleted in the foreground.
    pub waiting: BTreeSet<String>,
    /// Those that are gone.
    pub dangling: BTreeSet<String>,
    /// Those of which nothing is known.
    pub unknown: BTreeSet<String>,
}

impl Owners {
    /// Sorts them. What was learnt by asking serves once.
    pub(super) fn sort(object: &Value, index: &Index, absent: &Absent, present: &mut BTreeSet<String>) -> Self {
        let mut owners = Self::default();
        for owner in Meta(object).owners() {
            match index.by_uid(owner.uid) {
                Some((_, known)) if is_foreground(Meta(known)) => drop(owners.waiting.insert(owner.uid.to_owned())),
                Some(_) => owners.solid += 1,
                None if absent.contains(owner.uid) => drop(owners.dangling.insert(owner.uid.to_owned())),
                None if present.remove(owner.uid) => {
                    owners.solid += 1;
                    owners.unwatched = true;
                }
                None => drop(owners.unknown.insert(owner.uid.to_owned())),
            }
        }
        owners
    }
}

/// Whether the object's deletion waits for its dependents.
pub(super) fn is_foreground(meta: Meta<'_>) -> bool {
    meta.is_deleting() && meta.finalizers().any(|one| one == FOREGROUND)
}

/// The object without the owner references that `gone` names, if it is still as we know it.
pub(super) fn without(id: &Id, object: &Value, gone: impl Fn(&str) -> bool) -> ApiRequest {
    let left: Vec<&Value> =
        list(object, &["metadata", "ownerReferences"]).iter().filter(|owner| !gone(text(owner, &["uid"]))).collect();
    patch(id, object, json!(left))
}

/// The object with owner references that block nobody.
pub(super) fn unblock(id: &Id, object: &Value) -> ApiRequest {
    let mut owners = list(object, &["metadata", "ownerReferences"]).to_vec();
    for owner in &mut owners {
        owner["blockOwnerDeletion"] = json!(false);
    }
    patch(id, object, json!(owners))
}

fn patch(id: &Id, object: &Value, owners: Value) -> ApiRequest {
    let version = Meta(object).resource_version();
    let body = json!({"metadata": {"ownerReferences": owners, "resourceVersion": version}});
    ApiRequest::patch_merge(&id.resource, id.at(), body)
}
