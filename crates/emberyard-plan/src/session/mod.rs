//! What a Spark session is doing, told to its user: who waits for what, who ended and why.

mod ended;
mod waiting;

pub use ended::ended;
pub use waiting::{Booting, Outlook, waiting};

use emberyard_model::SessionStatus;
use serde_json::Value;
use std::collections::BTreeMap;

/// The sessions of one notebook: `executors` are the pods of its executors, `before` what was known of its sessions.
///
/// A session ends with its last pod: it is then forgotten, with what was remembered of it.
pub fn sessions(executors: &[&Value], outlook: &Outlook, before: &[SessionStatus]) -> Vec<SessionStatus> {
    let mut by_application: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for pod in executors {
        if let Some(application) = pod["metadata"]["labels"][crate::observe::GANG_LABEL].as_str() {
            by_application.entry(application).or_default().push(pod);
        }
    }
    let status = |(application, pods): (&str, Vec<&Value>)| {
        let known = before.iter().find(|session| session.application == application);
        let phase =
            |pod: &&&Value| pod["status"]["phase"] == "Running" && !pod["metadata"]["deletionTimestamp"].is_string();
        let first = pods.iter().filter_map(|pod| pod["metadata"]["creationTimestamp"].as_str()).min();
        SessionStatus {
            application: application.to_owned(),
            since: known.map_or_else(|| first.unwrap_or_default().to_owned(), |session| session.since.clone()),
            running: pods.iter().filter(phase).count() as u32,
            waiting: waiting(&pods, outlook),
            ended: ended::remember(known.map_or(&[], |session| &session.ended), &pods),
        }
    };
    by_application.into_iter().map(status).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn executor(name: &str, status: Value) -> Value {
        json!({"metadata": {"namespace": "d", "name": name, "labels": {"spark-app-selector": "app"}}, "spec": {"nodeName": "n"}, "status": status})
    }

    #[test]
    fn a_session_remembers_who_ended_until_it_is_over() {
        let failed = json!({"phase": "Failed", "reason": "NodeLost", "message": "Node n was lost."});
        let (one, two) = (executor("a-exec-1", failed), executor("a-exec-2", json!({"phase": "Running"})));
        let first = sessions(&[&one, &two], &Outlook::default(), &[]);
        assert_eq!((first[0].running, first[0].ended.len()), (1, 1));
        // Spark deletes the pod; what happened to it is still known.
        let second = sessions(&[&two], &Outlook::default(), &first);
        assert_eq!(second, first);
        assert_eq!(sessions(&[], &Outlook::default(), &second), []);
    }
}
