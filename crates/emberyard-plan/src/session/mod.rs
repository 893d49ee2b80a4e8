//! What a Spark session is doing, told to its user: who waits for what, who ended and why.

mod ended;
mod waiting;

pub use ended::ended;
pub use waiting::{Booting, Outlook, waiting};

use emberyard_model::{SessionStatus, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a session is remembered whose last executor ended in mid-work: Spark deletes that one's pod before it asks for
/// another, and where it gives up, its user still wants to know why.
const REMEMBERED: Duration = Duration::from_mins(1);

/// The sessions of one notebook: `executors` are the pods of its executors, `before` what was known of its sessions.
///
/// A session ends with its last pod: it is then forgotten, with what was remembered of it; a while later where that pod
/// ended in mid-work.
pub fn sessions(
    executors: &[&Value],
    outlook: &Outlook,
    before: &[SessionStatus],
    now: Timestamp,
) -> Vec<SessionStatus> {
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
            hdfs: known.and_then(|session| session.hdfs),
        }
    };
    let without_pods = before.iter().filter(|session| !by_application.contains_key(session.application.as_str()));
    let mourned = without_pods.filter(|session| ended_lately(session, now)).map(|session| SessionStatus {
        running: 0,
        waiting: Vec::new(),
        ..session.clone()
    });
    let mut all: Vec<SessionStatus> = mourned.collect();
    all.extend(by_application.into_iter().map(status));
    all.sort_by(|a, b| a.application.cmp(&b.application));
    all
}

/// Whether an executor of a session ended so lately that it is to be remembered without any pod.
fn ended_lately(session: &SessionStatus, now: Timestamp) -> bool {
    let last = session.ended.iter().filter_map(|one| Timestamp::parse(&one.at).ok()).max();
    last.is_some_and(|last| now.since(last) < REMEMBERED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn executor(name: &str, status: Value) -> Value {
        json!({"metadata": {"namespace": "d", "name": name, "labels": {"spark-app-selector": "app"}}, "spec": {"nodeName": "n"}, "status": status})
    }

    const NOW: Timestamp = Timestamp::from_seconds(100);

    #[test]
    fn a_session_remembers_who_ended_until_it_is_over() {
        let failed = json!({"phase": "Failed", "reason": "NodeLost", "message": "Node n was lost."});
        let (one, two) = (executor("a-exec-1", failed), executor("a-exec-2", json!({"phase": "Running"})));
        let first = sessions(&[&one, &two], &Outlook::default(), &[], NOW);
        assert_eq!((first[0].running, first[0].ended.len()), (1, 1));
        // Spark deletes the pod; what happened to it is still known.
        let second = sessions(&[&two], &Outlook::default(), &first, NOW);
        assert_eq!(second, first);
        assert_eq!(sessions(&[], &Outlook::default(), &second, NOW), []);
    }

    #[test]
    fn the_only_executor_s_end_is_told_until_another_comes() {
        let end = json!({"exitCode": 137, "reason": "OOMKilled", "finishedAt": "1970-01-01T00:01:00Z"});
        let failed = json!({"phase": "Failed", "containerStatuses": [{"state": {"terminated": end}}]});
        let known = sessions(&[&executor("a-exec-1", failed)], &Outlook::default(), &[], NOW);
        let between = sessions(&[], &Outlook::default(), &known, NOW);
        assert_eq!((between[0].running, &between[0].ended), (0, &known[0].ended));
        let next = executor("a-exec-2", json!({"phase": "Running"}));
        let after = sessions(&[&next], &Outlook::default(), &between, NOW);
        assert_eq!((after.len(), after[0].running, &after[0].ended), (1, 1, &known[0].ended));
        let later = NOW.plus(REMEMBERED);
        assert_eq!(sessions(&[], &Outlook::default(), &between, later), [], "Spark gave up");
    }
}
