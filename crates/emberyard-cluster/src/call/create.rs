//! Creating objects.

use super::{Call, Done, Place, name};
use crate::admission::{self, Operation};
use crate::body::Body;
use crate::failure::{Failure, Outcome};
use crate::journal::Key;
use crate::store::Object;
use crate::{Revision, crd, entropy, present};
use emberyard_object::defaults;
use emberyard_object::patch::apply::{Manager, track};
use emberyard_object::schema;
use emberyard_object::view::{Meta, text};
use serde_json::{Value, json};
use std::sync::Arc;

/// Fields of metadata that only the server sets.
const SERVER_SET: [&str; 6] =
    ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"];

impl Call<'_> {
    pub(super) fn create(&mut self, at: &Place) -> Outcome<Done> {
        let body = Body::read(self.request, self.server.config.body_limit, Some(&at.kind.gvk))?;
        let (object, warnings) = body.decode(&at.kind, self.field_validation()?)?;
        self.warnings.extend(warnings);
        let manager = Manager { name: self.manager(), subresource: "", api_version: &at.kind.gvk.api_version() };
        let dry_run = self.query.dry_run()?;
        let created = self.create_object(at, object, Some(manager), dry_run)?;
        Ok(self.shown(at, 201, &created))
    }

    /// Creates `object`, which is already decoded as its kind. With `dry_run` nothing is stored. `manager` is `None`
    /// where field ownership is settled already.
    pub(crate) fn create_object(
        &mut self,
        at: &Place,
        mut object: Value,
        manager: Option<Manager<'_>>,
        dry_run: bool,
    ) -> Outcome<Arc<Object>> {
        place_in_namespace(at, &mut object)?;
        if !Meta(&object).resource_version().is_empty() && !dry_run {
            return Err(Failure::bad_request("resourceVersion should not be set on objects to be created"));
        }
        self.stamp(at, &mut object, manager.is_some());
        defaults::apply(&at.kind, &mut object);
        name::generate(&self.server.store, &at.resource, at.namespace(), &mut object, self.entropy);
        admission::mutate(self, at, Operation::Create, None, &mut object)?;
        let mut causes: Vec<_> = name::check(&at.kind, &object).into_iter().collect();
        causes.extend(schema::validate(&at.kind, &object, None));
        causes.extend(admission::invalid(self, at, Operation::Create, None, &object));
        let name = Meta(&object).name().to_owned();
        if !causes.is_empty() {
            return Err(Failure::invalid(&at.kind.gvk, &name, &causes));
        }
        admission::validate(self, at, Operation::Create, None, &object)?;
        if self.server.store.get(&at.resource, at.namespace(), &name).is_some() {
            return Err(Failure::already_exists(at.gvr(), &name));
        }
        if let Some(manager) = manager {
            track(&at.kind, None, &mut object, manager, self.now);
        }
        Ok(self.put(at, &name, object, dry_run))
    }

    /// Sets what only the server sets.
    fn stamp(&mut self, at: &Place, object: &mut Value, clear_managed: bool) {
        object["apiVersion"] = json!(at.kind.gvk.api_version());
        object["kind"] = json!(at.kind.gvk.kind);
        if !object["metadata"].is_object() {
            object["metadata"] = json!({});
        }
        if let Some(metadata) = object["metadata"].as_object_mut() {
            for field in SERVER_SET {
                metadata.remove(field);
            }
            if clear_managed {
                metadata.remove("managedFields");
            }
            metadata.insert("uid".to_owned(), json!(entropy::uid(self.entropy)));
            metadata.insert("creationTimestamp".to_owned(), json!(self.now.rfc3339()));
            if at.kind.has_generation {
                metadata.insert("generation".to_owned(), json!(1));
            }
        }
        // A node's agent tells capacity as it registers; everywhere else status is written later.
        let keeps_status = *at.resource == *"nodes" || !at.kind.has_status_subresource();
        if let Some(fields) = object.as_object_mut().filter(|_| !keeps_status) {
            fields.remove("status");
        }
    }

    /// Stores an object as `name`, or makes only its answer with `dry_run`.
    pub(crate) fn put(&mut self, at: &Place, name: &str, object: Value, dry_run: bool) -> Arc<Object> {
        let key = Key { resource: Arc::clone(&at.resource), namespace: at.namespace().into(), name: name.into() };
        let stored = present::as_stored(&at.kind, object);
        if dry_run {
            let revision = text(&stored, &["metadata", "resourceVersion"]).parse().unwrap_or(0);
            return Arc::new(Object::new(key, Revision(revision), stored));
        }
        let (object, record) = self.server.store.put(key, stored, self.now);
        self.records.push(record);
        self.server.noticed(&object, false);
        self.expire(&object);
        object
    }

    /// Removes all objects of a kind that will no longer be known.
    fn remove_all(&mut self, resource: &str) {
        let objects: Vec<_> = self.server.store.list(resource, None).cloned().collect();
        for object in objects {
            let (_, record) = self.server.store.remove(object.key.clone(), object.value.clone(), self.now);
            self.records.push(record);
        }
    }

    /// Removes an object whose last state is `object`.
    pub(crate) fn remove(&mut self, at: &Place, live: &Object, object: Value, dry_run: bool) -> Arc<Object> {
        let stored = present::as_stored(&at.kind, object);
        if dry_run {
            return Arc::new(Object::new(live.key.clone(), live.revision, stored));
        }
        if *at.resource == *crd::RESOURCE {
            self.remove_all(&crd::stored_as(&stored));
        }
        let (object, record) = self.server.store.remove(live.key.clone(), stored, self.now);
        self.records.push(record);
        self.server.noticed(&object, true);
        object
    }
}

/// Takes the namespace from the path, and refuses one that differs.
fn place_in_namespace(at: &Place, object: &mut Value) -> Outcome<()> {
    let given = Meta(object).namespace();
    if !at.kind.namespaced {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("namespace");
        }
        return Ok(());
    }
    if !given.is_empty() && given != at.namespace() {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    object["metadata"]["namespace"] = json!(at.namespace());
    Ok(())
}
