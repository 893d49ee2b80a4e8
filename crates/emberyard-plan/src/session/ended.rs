//! Why an executor ended in mid-work, and what to change.
//!
//! Spark's exit codes: `SparkExitCode` and `ExecutorExitCode` of Apache Spark 4.

use emberyard_model::session::MOST_ENDED;
use emberyard_model::{EndedExecutor, Timestamp};
use serde_json::Value;
use std::time::Duration;

/// What Spark does by itself when an executor is gone.
const RECOVERY: &str = "Spark starts another one and computes again what was lost with it.";
const KILLED: i64 = 128 + 9;
const TERMINATED: i64 = 128 + 15;
/// `SparkExitCode.OOM`: the JVM's heap was full.
const HEAP_FULL: i64 = 52;
/// `ExecutorExitCode.HEARTBEAT_FAILURE`.
const NO_HEARTBEAT: i64 = 56;
/// `ExecutorExitCode.DISK_STORE_FAILED_TO_CREATE_DIR`.
const NO_LOCAL_DIR: i64 = 53;

/// What was known of ended executors, and those among `pods` that have ended since.
pub(super) fn remember(before: &[EndedExecutor], pods: &[&Value]) -> Vec<EndedExecutor> {
    let mut all = before.to_vec();
    let new = pods.iter().filter_map(|pod| ended(pod)).filter(|one| !before.iter().any(|known| known.pod == one.pod));
    all.extend(new);
    all.sort_by(|a, b| (&a.at, &a.pod).cmp(&(&b.at, &b.pod)));
    all.split_off(all.len().saturating_sub(MOST_ENDED))
}

/// What happened to an executor that failed; none for one that lives or was let go.
pub fn ended(pod: &Value) -> Option<EndedExecutor> {
    let status = &pod["status"];
    if status["phase"] != "Failed" {
        return None;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
    let container = status["containerStatuses"].as_array().and_then(|all| all.first());
    let end = container.map_or(&Value::Null, |one| &one["state"]["terminated"]);
    let (what, cure) = match (status["reason"].as_str(), end["reason"].as_str(), end["exitCode"].as_i64()) {
        (Some("NodeLost"), ..) => (
            format!("its node {} was lost with everything on it.", text(&pod["spec"]["nodeName"])),
            RECOVERY.to_owned(),
        ),
        (Some("Evicted"), ..) => {
            let cure = "Use fewer or smaller executors, or stop other sessions.";
            (sentence("it was evicted", &text(&status["message"])), cure.to_owned())
        }
        (_, Some("OOMKilled"), _) => (
            sentence("out of memory", &text(&end["message"])),
            format!(
                "Its limit is {}: the JVM's heap and, beside it, Python and buffers. Raise spark.executor.memoryOverhead \
                 if Python needs more, spark.executor.memory if the JVM does; or use more, smaller partitions.",
                limit(pod)
            ),
        ),
        (_, _, Some(HEAP_FULL)) => (
            "the heap of its JVM was full (java.lang.OutOfMemoryError).".to_owned(),
            "Raise spark.executor.memory, use more, smaller partitions, or cache less.".to_owned(),
        ),
        _ if is_let_go(pod, end) => return None,
        (_, _, Some(NO_HEARTBEAT)) => {
            ("it lost its driver: no heartbeat was answered.".to_owned(), RECOVERY.to_owned())
        }
        (_, _, Some(NO_LOCAL_DIR)) => (
            "it could not make a folder for its blocks: the disk is full or can't be written.".to_owned(),
            "Free disk space, then start the session anew.".to_owned(),
        ),
        (_, _, Some(KILLED)) => ("it was killed from outside (SIGKILL).".to_owned(), RECOVERY.to_owned()),
        (_, _, Some(TERMINATED)) => ("it was stopped from outside (SIGTERM).".to_owned(), RECOVERY.to_owned()),
        (_, _, Some(code)) => {
            let name = text(&pod["metadata"]["name"]);
            (
                sentence(&format!("it ended with exit code {code}"), &text(&end["message"])),
                format!("Its last words: kubectl logs {name}."),
            )
        }
        (reason, _, None) => {
            let what = format!("it failed ({})", reason.unwrap_or("no reason given"));
            (sentence(&what, &text(&status["message"])), String::new())
        }
    };
    Some(EndedExecutor { pod: text(&pod["metadata"]["name"]), at: text(&end["finishedAt"]), what, cure })
}

/// Whether the pod was deleted before its container ended: whoever deletes an executor, its driver above all, ends it.
fn is_let_go(pod: &Value, end: &Value) -> bool {
    let at = |time: &Value| time.as_str().and_then(|text| Timestamp::parse(text).ok());
    let grace = Duration::from_secs(pod["metadata"]["deletionGracePeriodSeconds"].as_u64().unwrap_or(0));
    // The time in a deleted pod is when its grace is over.
    let deleted = at(&pod["metadata"]["deletionTimestamp"]);
    deleted.zip(at(&end["finishedAt"])).is_some_and(|(over, ended)| over <= ended.plus(grace))
}

/// `head: details.`, or `head.` where there are no details.
fn sentence(head: &str, details: &str) -> String {
    let details = details.trim_end_matches('.');
    if details.is_empty() { format!("{head}.") } else { format!("{head}: {details}.") }
}

fn limit(pod: &Value) -> String {
    let limits = &pod["spec"]["containers"][0]["resources"]["limits"]["memory"];
    limits.as_str().unwrap_or("not known").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(status: Value) -> String {
        let pod = json!({
            "metadata": {"namespace": "d", "name": "a-exec-1"},
            "spec": {"nodeName": "node-2", "containers": [{"resources": {"limits": {"memory": "1408Mi"}}}]},
            "status": status,
        });
        ended(&pod).map_or("nothing".to_owned(), |one| one.to_string())
    }

    fn terminated(end: Value) -> Value {
        json!({"phase": "Failed", "containerStatuses": [{"state": {"terminated": end}}]})
    }

    #[test]
    fn every_end_is_explained() {
        let ends = [
            json!({"phase": "Running"}),
            json!({"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"exitCode": 0}}}]}),
            json!({"phase": "Failed", "reason": "NodeLost", "message": "x"}),
            json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}),
            json!({"phase": "Failed", "reason": "Preempted"}),
            terminated(json!({"exitCode": 137, "reason": "OOMKilled", "message": "used 1.4Gi of 1408Mi"})),
            terminated(json!({"exitCode": 137, "reason": "OOMKilled"})),
            terminated(json!({"exitCode": 137, "reason": "Error"})),
            terminated(json!({"exitCode": 143, "reason": "Error"})),
            terminated(json!({"exitCode": 52, "reason": "Error"})),
            terminated(json!({"exitCode": 53, "reason": "Error"})),
            terminated(json!({"exitCode": 56, "reason": "Error"})),
            terminated(json!({"exitCode": 1, "reason": "Error", "message": "no such class"})),
        ];
        insta::assert_snapshot!(ends.map(told).join("\n"));
    }

    #[test]
    fn who_was_deleted_first_was_let_go() {
        let deleted = |exit: i64, reason: &str, over: &str| {
            let end = json!({"exitCode": exit, "reason": reason, "finishedAt": "2026-01-01T00:00:10Z"});
            let metadata = json!({"name": "a-exec-1", "deletionTimestamp": over, "deletionGracePeriodSeconds": 30});
            ended(&json!({"metadata": metadata, "status": terminated(end)})).is_some()
        };
        // A JVM that is asked to decommission (SIGPWR) before it can.
        assert!(!deleted(158, "Error", "2026-01-01T00:00:39Z"));
        assert!(!deleted(143, "Error", "2026-01-01T00:00:40Z"));
        assert!(deleted(143, "Error", "2026-01-01T00:00:41Z"), "deleted because it had ended");
        assert!(deleted(137, "OOMKilled", "2026-01-01T00:00:39Z"));
    }

    #[test]
    fn only_the_newest_are_kept() {
        let pod = |number: usize| {
            let end = json!({"exitCode": 137, "finishedAt": format!("2026-01-01T00:00:{number:02}Z")});
            json!({"metadata": {"name": format!("e-{number}")}, "status": terminated(end)})
        };
        let pods: Vec<Value> = (0..14).map(pod).collect();
        let kept = remember(&[], &pods.iter().collect::<Vec<_>>());
        assert_eq!((kept.len(), kept[0].pod.as_str(), kept[9].pod.as_str()), (MOST_ENDED, "e-4", "e-13"));
        assert_eq!(remember(&kept, &[&pods[13]]), kept, "told once");
    }
}
