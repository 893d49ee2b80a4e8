//! Server-side apply.

use super::replace::Part;
use super::{Call, Done, Place};
use crate::body;
use crate::failure::{Failure, Outcome};
use crate::present;
use emberyard_object::patch::apply::{self, ApplyError, Manager};
use emberyard_object::view::Meta;
use serde_json::{Value, json};

impl Call<'_> {
    /// Applies the body as the field manager named in the query; creates what is not there.
    pub(super) fn apply(&mut self, at: &Place, part: Part) -> Outcome<Done> {
        let body = body::yaml_body(self.request)?;
        let Some(name) = self.query.get("fieldManager") else {
            return Err(Failure::bad_request("fieldManager is required for apply patch"));
        };
        let (mut config, warnings) = body.decode(&at.kind, self.field_validation()?)?;
        self.warnings.extend(warnings);
        check_config(at, &mut config)?;
        let dry_run = self.query.dry_run()?;
        let version = at.kind.gvk.api_version();
        let manager = Manager { name, subresource: &at.path.subresource, api_version: &version };
        let live = self.server.store.get(&at.resource, at.namespace(), at.name()).cloned();
        let old = live.as_ref().map(|live| present::as_kind(&at.kind, &live.value));
        if old.is_none() && !at.path.subresource.is_empty() {
            return Err(Failure::not_found(at.gvr(), at.name()));
        }
        let force = self.query.is_on("force");
        let wanted =
            apply::apply(&at.kind, old.as_deref(), &config, manager, force, self.now).map_err(|e| match e {
                ApplyError::Conflict { message, causes } => Failure::apply_conflict(message, &causes),
                ApplyError::Malformed(text) => Failure::bad_request(text),
            })?;
        match live {
            Some(live) => {
                let object = self.replace(at, &live, wanted, part, None, dry_run)?;
                Ok(self.shown(at, 200, &object))
            }
            None => {
                let object = self.create_object(at, wanted, None, dry_run)?;
                Ok(self.shown(at, 201, &object))
            }
        }
    }
}

fn check_config(at: &Place, config: &mut Value) -> Outcome<()> {
    let meta = Meta(config);
    if !meta.name().is_empty() && meta.name() != at.name() {
        let message =
            format!("the name of the object ({}) does not match the name on the URL ({})", meta.name(), at.name());
        return Err(Failure::bad_request(message));
    }
    if config["metadata"].get("managedFields").and_then(Value::as_array).is_some_and(|m| !m.is_empty()) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    if !config["metadata"].is_object() {
        config["metadata"] = json!({});
    }
    config["metadata"]["name"] = json!(at.name());
    config["apiVersion"] = json!(at.kind.gvk.api_version());
    config["kind"] = json!(at.kind.gvk.kind);
    Ok(())
}
