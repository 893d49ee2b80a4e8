//! The history of a stateful set's template, as `ControllerRevision`s that `kubectl rollout` reads and undoes to.
//!
//! Rule source: `pkg/controller/history/controller_history.go` and `getStatefulSetRevisions`.

use super::{Set, identity};
use crate::index::{Id, Index};
use crate::resources;
use crate::workload::{hash, members, number};
use emberyard_object::ApiRequest;
use emberyard_object::view::{Meta, at, text};
use serde_json::{Value, json};

const HASH: &str = "controller.kubernetes.io/hash";
/// The annotation that `kubectl rollout history` shows.
const CAUSE: &str = "kubernetes.io/change-cause";

/// A set's revisions.
#[derive(Debug)]
pub(super) struct History<'a> {
    /// All, oldest first.
    pub all: Vec<&'a Value>,
    /// What pods are to become.
    pub update: &'a Value,
    /// What they were when they last all were the same.
    pub current: &'a Value,
    /// How often a revision's name was taken already.
    pub collisions: i64,
}

/// What the history lacks, or the history.
#[derive(Debug)]
pub(super) enum Look<'a> {
    Write(ApiRequest),
    Ready(History<'a>),
}

/// The template as a patch that puts it in place of any other.
fn data(set: Set<'_>) -> Value {
    let mut template = set.0["spec"]["template"].clone();
    template["$patch"] = json!("replace");
    json!({"spec": {"template": template}})
}

/// The template of a revision.
pub(super) fn template(revision: &Value) -> Value {
    let mut template = at(revision, &["data", "spec", "template"]).cloned().unwrap_or_default();
    if let Some(fields) = template.as_object_mut() {
        fields.remove("$patch");
    }
    template
}

fn age(revision: &Value) -> i64 {
    number(revision, &["revision"]).unwrap_or(0)
}

/// Finds the revisions, or what must be written first for the newest to be what the set says.
pub(super) fn look<'a>(set: Set<'a>, index: &'a Index) -> Look<'a> {
    let resource = resources::controller_revisions();
    let owned = index.owned_by(set.meta().uid()).filter(|(id, _)| id.resource == resource).map(|(_, one)| one);
    let mut all: Vec<&Value> =
        owned.filter(|one| Meta(one).controller().is_some_and(|owner| owner.uid == set.meta().uid())).collect();
    all.sort_by_key(|one| (age(one), Meta(one).name().to_owned()));
    let data = data(set);
    let newest = all.last().map_or(0, |one| age(one));
    let Some(update) = all.iter().rev().find(|one| one["data"] == data).copied() else {
        return Look::Write(first_seen(set, index, &data, newest + 1));
    };
    if age(update) < newest {
        let mut again = update.clone();
        again["revision"] = json!(newest + 1);
        return Look::Write(ApiRequest::update(&resource, Id::of(&resource, update).at(), again));
    }
    let known = text(set.0, &["status", "currentRevision"]);
    let current = all.iter().find(|one| Meta(one).name() == known).copied().unwrap_or(update);
    let collisions = collisions(set, index, &data).0;
    Look::Ready(History { all, update, current, collisions })
}

/// How often the name for this template is taken by something else, and the first that is not.
fn collisions(set: Set<'_>, index: &Index, data: &Value) -> (i64, String) {
    let mut count = number(set.0, &["status", "collisionCount"]).unwrap_or(0);
    loop {
        let name = format!("{}-{}", set.meta().name(), hash::short(&format!("{data}{count}"), 10));
        let taken = index.find(&resources::controller_revisions(), set.meta().namespace(), &name);
        if taken.is_none_or(|one| one["data"] == *data && is_free(one, set)) {
            return (count, name);
        }
        count += 1;
    }
}

fn is_free(revision: &Value, set: Set<'_>) -> bool {
    Meta(revision).controller().is_none_or(|owner| owner.uid == set.meta().uid())
}

/// Makes the revision of a template, or takes one that an earlier set of this name left behind.
fn first_seen(set: Set<'_>, index: &Index, data: &Value, number: i64) -> ApiRequest {
    let (resource, namespace) = (resources::controller_revisions(), set.meta().namespace());
    let (_, name) = collisions(set, index, data);
    if let Some(orphan) = index.find(&resource, namespace, &name) {
        let mut taken = orphan.clone();
        taken["metadata"]["ownerReferences"] = json!([set.owner().reference()]);
        return ApiRequest::update(&resource, Id::of(&resource, orphan).at(), taken);
    }
    let mut labels = at(set.0, &["spec", "template", "metadata", "labels"]).cloned().unwrap_or_else(|| json!({}));
    labels[HASH] = json!(name.rsplit('-').next().unwrap_or(""));
    let mut metadata = json!({"name": name, "namespace": namespace, "labels": labels,
        "ownerReferences": [set.owner().reference()]});
    if let Some(cause) = set.meta().annotation(CAUSE) {
        metadata["annotations"] = json!({CAUSE: cause});
    }
    let object = json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata, "data": data,
        "revision": number});
    ApiRequest::create(&resource, Some(namespace), object)
}

/// Deletes of the oldest revisions that nothing uses, beyond the history's limit.
pub(super) fn surplus<'a>(
    set: Set<'_>,
    history: &History<'_>,
    pods: impl Iterator<Item = &'a Value>,
) -> Vec<ApiRequest> {
    let mut used: Vec<&str> = pods.map(identity::revision).collect();
    used.extend([Meta(history.update).name(), Meta(history.current).name()]);
    let idle: Vec<&Value> = history.all.iter().filter(|one| !used.contains(&Meta(one).name())).copied().collect();
    let limit = number(set.0, &["spec", "revisionHistoryLimit"]).unwrap_or(10);
    let over = idle.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    idle.into_iter().take(over).map(|one| members::delete(&resources::controller_revisions(), one)).collect()
}
