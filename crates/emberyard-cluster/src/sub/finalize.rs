//! `namespaces/finalize`: whoever emptied a namespace takes its finalizer off.

use crate::body::Body;
use crate::call::{Call, Done, Part, Place};
use crate::failure::Outcome;
use emberyard_object::patch::apply::Manager;
use emberyard_object::view::Meta;

impl Call<'_> {
    pub(crate) fn finalize(&mut self, at: &Place) -> Outcome<Done> {
        let body = Body::read(self.request, self.server.config.body_limit, Some(&at.kind.gvk))?;
        let (given, _) = body.decode(&at.kind, self.field_validation()?)?;
        let live = self.live(at)?;
        let mut object = live.value.clone();
        object["spec"] = given["spec"].clone();
        // What the caller has seen counts as a precondition, as with any update.
        for field in ["uid", "resourceVersion"] {
            if !given["metadata"][field].is_null() {
                object["metadata"][field] = given["metadata"][field].clone();
            }
        }
        if Meta(&given).resource_version().is_empty() {
            object["metadata"]["resourceVersion"] = serde_json::json!("");
        }
        let manager = Manager { name: self.manager(), subresource: "finalize", api_version: "v1" };
        let dry_run = self.query.dry_run()?;
        let object = self.replace(at, &live, object, Part::Restricted, Some(manager), dry_run)?;
        Ok(self.shown(at, 200, &object))
    }
}
