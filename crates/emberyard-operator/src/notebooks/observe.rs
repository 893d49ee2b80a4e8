//! What is known of one notebook.

use crate::view::Key;
use emberyard_manifest::Identity;
use emberyard_model::{NotebookSpec, NotebookStatus, SessionStatus, Timestamp};
use emberyard_plan::session::{self, Outlook};
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
    /// Its Spark sessions, as they are now.
    pub sessions: Vec<SessionStatus>,
}

/// What is known of a notebook's Spark sessions beside its own objects.
#[derive(Debug, Clone)]
pub struct Spark<'a> {
    /// Pods that the notebook's pod owns.
    pub executors: Vec<&'a Value>,
    /// What the fleet intends.
    pub outlook: &'a Outlook,
    /// What was found last; the status of the object may be older than that. None at the first look.
    pub before: Option<&'a [SessionStatus]>,
    /// The time.
    pub now: Timestamp,
}

impl Observed {
    /// From the objects. None when the notebook is on its way out: the cluster's garbage collection does the rest.
    pub fn new(notebook: &Value, pod: Option<&Value>, spark: &Spark<'_>) -> Option<Self> {
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
        // A status that can't be read is written anew.
        let status: NotebookStatus = serde_json::from_value(notebook["status"].clone()).unwrap_or_default();
        Some(Self {
            identity: Identity { namespace, name, uid: meta["uid"].as_str().unwrap_or_default().to_owned() },
            generation: meta["generation"].as_i64().unwrap_or(0),
            spec,
            pod: pod.cloned(),
            sessions: session::sessions(
                &spark.executors,
                spark.outlook,
                spark.before.unwrap_or(&status.sessions),
                spark.now,
            ),
            status,
        })
    }
}

/// A notebook without Spark sessions, for tests.
#[cfg(test)]
pub(super) fn no_spark() -> Spark<'static> {
    static QUIET: Outlook = Outlook { reasons: Vec::new(), booting: Vec::new() };
    Spark { executors: Vec::new(), outlook: &QUIET, before: None, now: Timestamp(0) }
}
