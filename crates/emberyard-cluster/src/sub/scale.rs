//! `scale`: the number of replicas of anything that has one.

use crate::body::{self, Body};
use crate::call::{Call, Done, Part, Place, changed};
use crate::failure::{Failure, Outcome};
use crate::present;
use emberyard_object::patch::apply::Manager;
use emberyard_object::view::{Meta, at as value_at};
use emberyard_object::{ContentKind, Gvk};
use serde_json::{Value, json};

impl Call<'_> {
    pub(crate) fn scale(&mut self, at: &Place) -> Outcome<Done> {
        let live = self.live(at)?;
        let mut object = present::as_kind(&at.kind, &live.value).into_owned();
        let old = scale_of(&object);
        let wanted = match at.verb {
            "get" => return Ok(Done::value(200, &old)),
            "update" => {
                let due = Gvk::new("autoscaling", "v1", "Scale");
                Body::read(self.request, self.server.config.body_limit, Some(&due))?.value
            }
            _ => {
                let form = self.patch_form(&at.kind)?;
                let patch = body::json_body(self.request)?.value;
                // A Scale has no lists: a strategic merge is a plain merge, and so is an apply.
                let form = if form == ContentKind::JsonPatch { form } else { ContentKind::MergePatch };
                changed(form, &at.kind, &old, &patch)?
            }
        };
        let replicas = value_at(&wanted, &["spec", "replicas"]).and_then(Value::as_i64).unwrap_or(0);
        if replicas < 0 {
            return Err(Failure::bad_request("spec.replicas: must be greater than or equal to 0"));
        }
        let version = Meta(&wanted).resource_version();
        if !version.is_empty() {
            object["metadata"]["resourceVersion"] = json!(version);
        }
        object["spec"]["replicas"] = json!(replicas);
        let api_version = at.kind.gvk.api_version();
        let manager = Manager { name: self.manager(), subresource: "scale", api_version: &api_version };
        let dry_run = self.query.dry_run()?;
        let object = self.replace(at, &live, object, Part::Main, Some(manager), dry_run)?;
        Ok(Done::value(200, &scale_of(&present::as_kind(&at.kind, &object.value))))
    }
}

fn scale_of(object: &Value) -> Value {
    let meta = Meta(object);
    let labels =
        value_at(object, &["spec", "selector", "matchLabels"]).or_else(|| value_at(object, &["spec", "selector"]));
    let selector: Vec<String> = labels
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| value.as_str().map(|value| format!("{key}={value}")))
        .collect();
    let number = |path: &[&str]| value_at(object, path).and_then(Value::as_i64).unwrap_or(0);
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": meta.name(), "namespace": meta.namespace(), "uid": meta.uid(),
            "resourceVersion": meta.resource_version(),
            "creationTimestamp": object["metadata"]["creationTimestamp"]},
        "spec": {"replicas": number(&["spec", "replicas"])},
        "status": {"replicas": number(&["status", "replicas"]), "selector": selector.join(",")}})
}
