//! What is known of one notebook.

use crate::view::{Key, annotation, label};
use emberyard_manifest::{Identity, SPARK_APP_LABEL};
use emberyard_model::score::SCORE_ANNOTATION;
use emberyard_model::{HdfsScore, NotebookSpec, NotebookStatus, SessionStatus, Timestamp};
use emberyard_plan::session::{self, Outlook};
use serde_json::Value;
use std::collections::BTreeMap;

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
    /// What kernels told of their applications, by the application's id.
    pub scores: BTreeMap<&'a str, HdfsScore>,
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
        let before = spark.before.unwrap_or(&status.sessions);
        let mut sessions = session::sessions(&spark.executors, spark.outlook, before, spark.now);
        for session in &mut sessions {
            session.hdfs = spark.scores.get(&*session.application).copied().or(session.hdfs);
        }
        Some(Self {
            identity: Identity { namespace, name, uid: meta["uid"].as_str().unwrap_or_default().to_owned() },
            generation: meta["generation"].as_i64().unwrap_or(0),
            spec,
            pod: pod.cloned(),
            sessions,
            status,
        })
    }
}

/// An application and its score, where its kernel has noted one on the application's ConfigMap. What can't be read is none:
/// user code may write there.
pub(super) fn score(config_map: &Value) -> Option<(&str, HdfsScore)> {
    let noted = annotation(config_map, SCORE_ANNOTATION)?;
    Some((label(config_map, SPARK_APP_LABEL)?, serde_json::from_str(noted).ok()?))
}

/// A notebook without Spark sessions, for tests.
#[cfg(test)]
pub(super) fn no_spark() -> Spark<'static> {
    static QUIET: Outlook = Outlook { reasons: Vec::new(), booting: Vec::new() };
    Spark { executors: Vec::new(), scores: BTreeMap::new(), outlook: &QUIET, before: None, now: Timestamp(0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_session_has_the_score_that_its_kernel_noted() {
        let map = |noted: &str| json!({"metadata": {"labels": {"spark-app-selector": "app"}, "annotations": {"emberyard.dev/hdfs-score": noted}}});
        let wanted = HdfsScore { tasks: 4, local_tasks: 3, bytes: 9, local_bytes: 7 };
        let good = map(r#"{"tasks":4,"localTasks":3,"bytes":9,"localBytes":7}"#);
        assert_eq!(score(&good), Some(("app", wanted)));
        for bad in ["", "4 of 4", r#"{"tasks":-1}"#] {
            assert_eq!(score(&map(bad)), None, "{bad}");
        }
        let executor = json!({"metadata": {"namespace": "d", "name": "e", "labels": {"spark-app-selector": "app"}},
                              "spec": {}, "status": {"phase": "Running"}});
        let notebook = json!({"metadata": {"namespace": "d", "name": "a", "uid": "1"}});
        let look = |maps: &[Value], before: &[SessionStatus]| {
            let scores = maps.iter().filter_map(score).collect();
            let spark = Spark { executors: vec![&executor], scores, before: Some(before), ..no_spark() };
            Observed::new(&notebook, None, &spark).unwrap().sessions
        };
        assert_eq!(look(&[], &[])[0].hdfs, None);
        let told = look(&[good], &[]);
        assert_eq!(told[0].hdfs, Some(wanted));
        assert_eq!(look(&[], &told), told, "its ConfigMap goes before its last executor");
    }
}
