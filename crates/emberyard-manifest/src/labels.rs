//! Labels of everything that belongs to a notebook.

use crate::validate::{Identity, Session};
use emberyard_model::notebook::{GROUP, NOTEBOOK_KIND, NOTEBOOK_LABEL, VERSION};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Value of `app.kubernetes.io/managed-by`.
pub const MANAGED_BY: &str = "emberyard";
/// Annotation of the pod: what it was made from, to see when a new one would differ.
pub const SPEC_ANNOTATION: &str = "emberyard.dev/made-from";

/// What services select the notebook's pod by.
pub(crate) fn selector(session: &Session) -> Value {
    json!({
        "app.kubernetes.io/name": "pyspark-notebook",
        "app.kubernetes.io/instance": session.identity.name,
    })
}

/// All labels.
pub(crate) fn labels(session: &Session) -> Value {
    json!({
        "app.kubernetes.io/name": "pyspark-notebook",
        "app.kubernetes.io/instance": session.identity.name,
        "app.kubernetes.io/managed-by": MANAGED_BY,
        NOTEBOOK_LABEL: session.identity.name,
    })
}

/// Metadata of an object that goes when the notebook goes.
pub(crate) fn owned(session: &Session, name: &str) -> Map<String, Value> {
    let mut metadata = kept(session, name);
    metadata.insert("ownerReferences".to_owned(), json!([owner(NOTEBOOK_KIND, &session.identity)]));
    metadata
}

/// The resource of ours with which an object goes.
pub(crate) fn owner(kind: &str, identity: &Identity) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": kind,
        "name": identity.name,
        "uid": identity.uid,
        "controller": true,
        "blockOwnerDeletion": false,
    })
}

/// Metadata of an object that stays when the notebook goes.
pub(crate) fn kept(session: &Session, name: &str) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(name));
    metadata.insert("namespace".to_owned(), json!(session.identity.namespace));
    metadata.insert("labels".to_owned(), labels(session));
    metadata
}

/// Tells one pod spec or configuration from another; serde_json writes maps in order, so equal ones give equal texts.
pub(crate) fn fingerprint(spec: &Value) -> String {
    let digest = Sha256::digest(spec.to_string().as_bytes());
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String can't fail
        text
    })
}
