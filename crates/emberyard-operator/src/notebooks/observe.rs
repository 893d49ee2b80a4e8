//! What is known of one notebook.

use crate::view::Key;
use emberyard_manifest::Identity;
use emberyard_model::{NotebookSpec, NotebookStatus};
use serde_json::Value;

/// A notebook and what there is of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Which.
    pub identity: Identity,
    /// Generation of its spec.
    pub generation: i64,
    /// What is wanted; the message where it can't be read.
    pub spec: Result<NotebookSpec, String>,
    /// What its status says so far.
    pub status: NotebookStatus,
    /// Its pod.
    pub pod: Option<Value>,
}

impl Observed {
    /// From the objects. None when the notebook is on its way out: the cluster's garbage collection does the rest.
    pub fn new(notebook: &Value, pod: Option<&Value>) -> Option<Self> {
        if crate::view::is_leaving(notebook) {
            return None;
        }
        let Key { namespace, name } = Key::of(notebook);
        let meta = &notebook["metadata"];
        let spec = if notebook["spec"].is_null() {
            Ok(NotebookSpec::default())
        } else {
            serde_json::from_value(notebook["spec"].clone()).map_err(|error| error.to_string())
        };
        Some(Self {
            identity: Identity { namespace, name, uid: meta["uid"].as_str().unwrap_or_default().to_owned() },
            generation: meta["generation"].as_i64().unwrap_or(0),
            spec,
            // A status that can't be read is written anew.
            status: serde_json::from_value(notebook["status"].clone()).unwrap_or_default(),
            pod: pod.cloned(),
        })
    }
}
