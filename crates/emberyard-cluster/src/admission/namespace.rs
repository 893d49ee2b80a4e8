//! Namespaces: what they are given, and that content lies in open ones.

use crate::call::{Call, Place};
use crate::failure::{Failure, Outcome};
use emberyard_object::Gvr;
use emberyard_object::view::Meta;
use serde_json::{Value, json};

/// The namespaces that never go.
const ETERNAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Refuses to create in a namespace that is missing or going.
pub(super) fn must_be_open(call: &Call<'_>, at: &Place, object: &Value) -> Outcome<()> {
    if !at.kind.namespaced {
        return Ok(());
    }
    let namespace = at.namespace();
    let Some(found) = call.server.store.get("namespaces", "", namespace) else {
        return Err(Failure::not_found(&Gvr::core("namespaces"), namespace));
    };
    if found.meta().is_deleting() {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let cause = json!([{"reason": "NamespaceTerminating", "field": "metadata.namespace",
            "message": format!("namespace {namespace} is being terminated")}]);
        return Err(Failure::forbidden(at.gvr(), Meta(object).name(), why).caused_by(cause));
    }
    Ok(())
}

/// What a new namespace is given.
pub(super) fn create(object: &mut Value) {
    let name = Meta(object).name().to_owned();
    if !object["metadata"]["labels"].is_object() {
        object["metadata"]["labels"] = json!({});
    }
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = json!(name);
    object["spec"] = json!({"finalizers": ["kubernetes"]});
    object["status"] = json!({"phase": "Active"});
}

/// Refuses to delete what a cluster cannot be without.
pub(super) fn may_go(at: &Place) -> Outcome<()> {
    if *at.resource == *"namespaces" && ETERNAL.contains(&at.name()) {
        return Err(Failure::forbidden(at.gvr(), at.name(), "this namespace may not be deleted"));
    }
    Ok(())
}
