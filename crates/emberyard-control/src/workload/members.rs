//! Which objects belong to an owner: those it controls, those it may take, those it must let go.
//!
//! Rule source: `pkg/controller/controller_ref_manager.go`.

use super::Key;
use crate::index::Id;
use emberyard_object::selector::LabelSelector;
use emberyard_object::view::{Meta, list};
use emberyard_object::{ApiRequest, DeleteOptions, Gvr};
use serde_json::{Value, json};

/// Who owns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub api_version: &'static str,
    pub kind: &'static str,
    pub object: &'a Value,
}

impl Owner<'_> {
    /// As its dependents name it.
    pub(crate) fn reference(&self) -> Value {
        let meta = Meta(self.object);
        json!({"apiVersion": self.api_version, "kind": self.kind, "name": meta.name(), "uid": meta.uid(),
            "controller": true, "blockOwnerDeletion": true})
    }
}

/// Members, and what must be written before they are all that are meant.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    pub mine: Vec<&'a Value>,
    pub claims: Vec<ApiRequest>,
}

/// Looks through `candidates` of a resource; `fits` is what an owner demands beside its selector.
pub(crate) fn of<'a>(
    resource: &Gvr,
    owner: &Owner<'_>,
    selector: &LabelSelector,
    candidates: impl Iterator<Item = &'a Value>,
    fits: impl Fn(&Value) -> bool,
) -> Members<'a> {
    let mut members = Members::default();
    let (uid, going) = (Meta(owner.object).uid(), Meta(owner.object).is_deleting());
    for object in candidates {
        let meta = Meta(object);
        let meant = selector.matches(object) && fits(object);
        match meta.controller() {
            Some(known) if known.uid != uid => {}
            Some(_) if meant => members.mine.push(object),
            Some(_) if going || meta.is_deleting() => {}
            Some(_) => {
                let others = list(object, &["metadata", "ownerReferences"]).iter().filter(|one| one["uid"] != uid);
                members.claims.push(owners(resource, object, others.cloned().collect()));
            }
            None if meant && !going && !meta.is_deleting() => {
                let mut all = list(object, &["metadata", "ownerReferences"]).to_vec();
                all.push(owner.reference());
                members.claims.push(owners(resource, object, all));
            }
            None => {}
        }
    }
    members
}

fn owners(resource: &Gvr, object: &Value, owners: Vec<Value>) -> ApiRequest {
    let meta = Meta(object);
    let patch =
        json!({"metadata": {"uid": meta.uid(), "resourceVersion": meta.resource_version(), "ownerReferences": owners}});
    ApiRequest::patch_merge(resource, Id::of(resource, object).at(), patch)
}

/// Those of a kind that control these objects.
pub(crate) fn controllers<'a>(objects: impl IntoIterator<Item = Option<&'a Value>>, kind: &str) -> Vec<Key> {
    let controller = |object: &'a Value| {
        let owner = Meta(object).controller().filter(|owner| owner.kind == kind)?;
        Some((Meta(object).namespace().to_owned(), owner.name.to_owned()))
    };
    objects.into_iter().flatten().filter_map(controller).collect()
}

/// Deletes exactly this object and no namesake that comes after it.
pub(crate) fn delete(resource: &Gvr, object: &Value) -> ApiRequest {
    let options = DeleteOptions { uid: Some(Meta(object).uid().to_owned()), ..DeleteOptions::default() };
    ApiRequest::delete(resource, Id::of(resource, object).at(), &options)
}

/// An object's `spec.selector`; `None` where it selects nothing or can't be read.
pub(crate) fn selector(object: &Value) -> Option<LabelSelector> {
    LabelSelector::from_json(&object["spec"]["selector"]).ok().flatten()
}
