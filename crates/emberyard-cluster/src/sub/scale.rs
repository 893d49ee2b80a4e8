//! `scale`: the number of replicas apart from everything else, as `autoscaling/v1` `Scale`.

use crate::body::{self, Body};
use crate::call::{Call, Done, Part, Place, changed};
use crate::failure::{Failure, Outcome};
use crate::store::Object;
use emberyard_object::patch::apply::Manager;
use emberyard_object::schema::Cause;
use emberyard_object::view::{Meta, at as value_at};
use emberyard_object::{ContentKind, Gvk, selector};
use serde_json::{Value, json};
use std::sync::Arc;

impl Call<'_> {
    pub(super) fn scale(&mut self, at: &Place, due: &Gvk) -> Outcome<Done> {
        let live = self.live(at)?;
        let wanted = match at.verb {
            "update" => Body::read(self.request, self.server.config.body_limit, Some(due))?.value,
            "patch" => {
                let form = self.patch_form(&at.kind)?;
                if form == ContentKind::ApplyPatch {
                    return Err(Failure::not_implemented("apply of a scale"));
                }
                let patch = body::json_body(self.request)?.value;
                // A Scale has no lists, so the two merging patches do the same to it.
                let form = if form == ContentKind::JsonPatch { form } else { ContentKind::MergePatch };
                changed(form, &at.kind, &scale_of(&live.value), &patch)?
            }
            _ => return Ok(Done::value(200, &scale_of(&live.value))),
        };
        let object = self.rescale(at, due, &live, &wanted)?;
        Ok(Done::value(200, &scale_of(&object.value)))
    }

    fn rescale(&mut self, at: &Place, due: &Gvk, live: &Arc<Object>, wanted: &Value) -> Outcome<Arc<Object>> {
        let replicas = match value_at(wanted, &["spec", "replicas"]) {
            None | Some(Value::Null) => 0,
            Some(value) => value.as_i64().ok_or_else(|| Failure::bad_request("spec.replicas: must be a number"))?,
        };
        if !(0..=i64::from(i32::MAX)).contains(&replicas) {
            let message = format!("Invalid value: {replicas}: must be greater than or equal to 0");
            let cause = Cause { reason: "FieldValueInvalid", field: "spec.replicas".to_owned(), message };
            return Err(Failure::invalid(due, at.name(), &[cause]));
        }
        let mut object = live.value.clone();
        object["spec"]["replicas"] = json!(replicas);
        // What the caller has seen counts as a precondition, as with any update.
        let (given, meta) = (Meta(wanted), &mut object["metadata"]);
        meta["resourceVersion"] = json!(given.resource_version());
        for (field, value) in [("name", given.name()), ("uid", given.uid())] {
            if !value.is_empty() {
                meta[field] = json!(value);
            }
        }
        let version = at.kind.gvk.api_version();
        let manager = Manager { name: self.manager(), subresource: "scale", api_version: &version };
        let dry_run = self.query.dry_run()?;
        self.replace(at, live, object, Part::Restricted, Some(manager), dry_run)
    }
}

/// The scale of an object.
fn scale_of(object: &Value) -> Value {
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        metadata[field] = object["metadata"][field].clone();
    }
    let number = |path: &[&str]| value_at(object, path).and_then(Value::as_i64).unwrap_or(0);
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
        "spec": {"replicas": number(&["spec", "replicas"])},
        "status": {"replicas": number(&["status", "replicas"]), "selector": selector::query(&object["spec"]["selector"])}})
}
