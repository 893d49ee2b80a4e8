//! Replacing objects and their status: what every kind of update has in common.

use super::{Call, Done, Place};
use crate::admission::{self, Operation};
use crate::body::Body;
use crate::failure::{Failure, Outcome};
use crate::present;
use crate::store::Object;
use emberyard_object::defaults;
use emberyard_object::patch::apply::{Manager, track};
use emberyard_object::schema::{self, Cause};
use emberyard_object::view::Meta;
use serde_json::{Value, json};
use std::sync::Arc;

/// What an update may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything but the status, where that is a subresource.
    Main,
    /// The status only.
    Status,
    /// What the caller already restricted (`scale`, `binding`).
    Restricted,
}

impl Call<'_> {
    pub(super) fn update(&mut self, at: &Place) -> Outcome<Done> {
        self.update_part(at, Part::Main)
    }

    /// PUT of an object or its status.
    pub(crate) fn update_part(&mut self, at: &Place, part: Part) -> Outcome<Done> {
        let body = Body::read(self.request, self.server.config.body_limit, Some(&at.kind.gvk))?;
        let (object, warnings) = body.decode(&at.kind, self.field_validation()?)?;
        self.warnings.extend(warnings);
        let dry_run = self.query.dry_run()?;
        let live = self.live(at)?;
        if at.kind.custom && Meta(&object).resource_version().is_empty() {
            let message = "Invalid value: 0: must be specified for an update".to_owned();
            let cause = Cause { reason: "FieldValueInvalid", field: "metadata.resourceVersion".to_owned(), message };
            return Err(Failure::invalid(&at.kind.gvk, at.name(), &[cause]));
        }
        let version = at.kind.gvk.api_version();
        let manager = Manager { name: self.manager(), subresource: &at.path.subresource, api_version: &version };
        let object = self.replace(at, &live, object, part, Some(manager), dry_run)?;
        Ok(self.shown(at, 200, &object))
    }

    /// Puts `wanted` (as its kind) in the place of `live`. `manager` is `None` where field ownership is settled already.
    pub(crate) fn replace(
        &mut self,
        at: &Place,
        live: &Arc<Object>,
        mut wanted: Value,
        part: Part,
        manager: Option<Manager<'_>>,
        dry_run: bool,
    ) -> Outcome<Arc<Object>> {
        let old = present::as_kind(&at.kind, &live.value).into_owned();
        check_identity(at, &old, &wanted)?;
        restrict(at, &old, &mut wanted, part);
        carry_over(&old, &mut wanted, manager.is_some());
        defaults::apply(&at.kind, &mut wanted);
        let operation = if part == Part::Status { Operation::UpdateStatus } else { Operation::Update };
        admission::mutate(self, at, operation, Some(&old), &mut wanted)?;
        let mut causes = schema::validate(&at.kind, &wanted, Some(&old));
        causes.extend(admission::invalid(self, at, operation, Some(&old), &wanted));
        if !causes.is_empty() {
            return Err(Failure::invalid(&at.kind.gvk, at.name(), &causes));
        }
        admission::validate(self, at, operation, Some(&old), &wanted)?;
        if at.kind.has_generation && part != Part::Status && differs_in_spec(&old, &wanted) {
            wanted["metadata"]["generation"] = json!(Meta(&old).generation() + 1);
        }
        if let Some(manager) = manager {
            track(&at.kind, Some(&old), &mut wanted, manager, self.now);
        }
        if same(&old, &wanted) {
            return Ok(Arc::clone(live));
        }
        if is_finished(&wanted) {
            return Ok(self.remove(at, live, wanted, dry_run));
        }
        Ok(self.put(at, at.name(), wanted, dry_run))
    }
}

/// Puts back what this kind of write may not touch.
fn restrict(at: &Place, old: &Value, wanted: &mut Value, part: Part) {
    let Some(fields) = wanted.as_object_mut() else { return };
    match part {
        Part::Main if at.kind.has_status_subresource() => restore(fields, old, "status"),
        Part::Main | Part::Restricted => {}
        Part::Status => {
            let status = fields.remove("status");
            let managed = fields.get("metadata").and_then(|metadata| metadata.get("managedFields")).cloned();
            let mut metadata = fields.remove("metadata").unwrap_or_default();
            fields.clone_from(old.as_object().unwrap_or(&serde_json::Map::new()));
            match status {
                Some(status) => fields.insert("status".to_owned(), status),
                None => fields.remove("status"),
            };
            // Labels and annotations may be written along with the status of built-in kinds, as upstream has it.
            if !at.kind.custom {
                if let Some(metadata) = metadata.as_object_mut() {
                    restore(metadata, &old["metadata"], "ownerReferences");
                }
                fields.insert("metadata".to_owned(), metadata);
            } else if let Some(managed) = managed {
                fields["metadata"]["managedFields"] = managed;
            }
        }
    }
}

fn restore(fields: &mut serde_json::Map<String, Value>, old: &Value, key: &str) {
    match old.get(key) {
        Some(value) => fields.insert(key.to_owned(), value.clone()),
        None => fields.remove(key),
    };
}

/// Puts back what only the server sets.
fn carry_over(old: &Value, wanted: &mut Value, keep_managed: bool) {
    wanted["apiVersion"] = old["apiVersion"].clone();
    wanted["kind"] = old["kind"].clone();
    if !wanted["metadata"].is_object() {
        wanted["metadata"] = json!({});
    }
    let Some(metadata) = wanted["metadata"].as_object_mut() else { return };
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
        "generateName",
    ] {
        restore(metadata, &old["metadata"], field);
    }
    // `managedFields: []` asks to forget all owners; leaving them out does not.
    let given = metadata.get("managedFields").and_then(Value::as_array).map(Vec::len);
    match given {
        None if keep_managed => restore(metadata, &old["metadata"], "managedFields"),
        Some(0) => {
            metadata.remove("managedFields");
        }
        _ => {}
    }
    if metadata.get("finalizers").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        metadata.remove("finalizers");
    }
}

/// Whether anything beside metadata and status differs.
fn differs_in_spec(old: &Value, new: &Value) -> bool {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return true };
    let spec = |fields: &'_ serde_json::Map<String, Value>, key: &str| fields.get(key).cloned();
    let keys = old.keys().chain(new.keys()).filter(|key| !matches!(key.as_str(), "metadata" | "status"));
    keys.into_iter().any(|key| spec(old, key) != spec(new, key))
}

/// Whether nothing changed but the times of field ownership.
fn same(old: &Value, new: &Value) -> bool {
    if old == new {
        return true;
    }
    let timeless = |object: &Value| {
        let mut object = object.clone();
        for entry in object["metadata"]["managedFields"].as_array_mut().into_iter().flatten() {
            entry["time"] = Value::Null;
        }
        object
    };
    let same_but_metadata = |a: &Value, b: &Value| {
        let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else { return false };
        a.len() == b.len()
            && a.iter().filter(|(key, _)| *key != "metadata").all(|(key, value)| b.get(key) == Some(value))
    };
    same_but_metadata(old, new) && timeless(old) == timeless(new)
}

/// Whether nothing holds a deleted object back any longer.
pub(crate) fn is_finished(object: &Value) -> bool {
    let meta = Meta(object);
    let held_by_namespace = object["kind"] == "Namespace"
        && object["apiVersion"] == "v1"
        && object["spec"]["finalizers"].as_array().is_some_and(|f| !f.is_empty());
    meta.is_deleting()
        && meta.finalizers().next().is_none()
        && meta.deletion_grace_seconds().unwrap_or(0) == 0
        && !held_by_namespace
}

fn check_identity(at: &Place, old: &Value, wanted: &Value) -> Outcome<()> {
    let (old, new) = (Meta(old), Meta(wanted));
    if !new.name().is_empty() && new.name() != at.name() {
        return Err(Failure::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            new.name(),
            at.name()
        )));
    }
    if at.kind.namespaced && !new.namespace().is_empty() && new.namespace() != at.namespace() {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !new.uid().is_empty() && new.uid() != old.uid() {
        let why = format!("Precondition failed: UID in precondition: {}, UID in object meta: {}", new.uid(), old.uid());
        return Err(Failure::conflict(at.gvr(), at.name(), why));
    }
    let asked = new.resource_version();
    if !asked.is_empty() && asked != "0" && asked != old.resource_version() {
        return Err(Failure::stale(at.gvr(), at.name()));
    }
    Ok(())
}
