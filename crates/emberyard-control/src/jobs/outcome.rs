//! Whether a job has come to its end, and what it says of itself.

use super::count::Count;
use super::{Job, indexes};
use crate::workload::{number, pods, set as put};
use emberyard_model::Timestamp;
use emberyard_object::condition;
use emberyard_object::view::{PodView, text};
use serde_json::{Value, json};
use std::time::Duration;

/// Why a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    pub succeeded: bool,
    pub reason: &'static str,
    pub message: &'static str,
}

const fn failure(reason: &'static str, message: &'static str) -> Outcome {
    Outcome { succeeded: false, reason, message }
}

const REACHED: Outcome =
    Outcome { succeeded: true, reason: "CompletionsReached", message: "Reached expected number of succeeded pods" };
const TOO_OFTEN: Outcome = failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
const TOO_LONG: Outcome = failure("DeadlineExceeded", "Job was active longer than specified deadline");

/// The job's end, if it has come; `again` is when time alone may bring it.
pub(super) fn of(job: Job<'_>, count: &Count<'_>, now: Timestamp, again: &mut Option<Timestamp>) -> Option<Outcome> {
    // What was decided once stays decided while the last pods end.
    if let Some(target) = job.condition("FailureTarget") {
        return Some(if text(target, &["reason"]) == TOO_LONG.reason { TOO_LONG } else { TOO_OFTEN });
    }
    if job.holds("SuccessCriteriaMet") {
        return Some(REACHED);
    }
    let limit = job.spec("backoffLimit").unwrap_or(6);
    if count.failed > limit || restarts(job, count).is_some_and(|times| times > 0 && times >= limit) {
        return Some(TOO_OFTEN);
    }
    if let (Some(started), Some(seconds), false) =
        (job.started(), job.spec("activeDeadlineSeconds"), job.is_suspended())
    {
        let until = started.plus(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        if until <= now {
            return Some(TOO_LONG);
        }
        *again = Some(until);
    }
    let reached = match job.spec("completions") {
        Some(completions) => count.succeeded >= completions,
        None => count.succeeded > 0 && count.active.is_empty(),
    };
    reached.then_some(REACHED)
}

/// How often containers were started again, where it is the node that does so.
fn restarts(job: Job<'_>, count: &Count<'_>) -> Option<i64> {
    let on_node = text(job.0, &["spec", "template", "spec", "restartPolicy"]) == "OnFailure";
    let known = count.active.iter().filter(|pod| PodView(pod).phase() != "Unknown");
    on_node.then(|| known.map(|pod| pods::restarts(pod)).sum())
}

/// The status that is due.
pub(super) fn status(job: Job<'_>, count: &Count<'_>, outcome: Option<&Outcome>, now: Timestamp) -> Value {
    let mut status = job.0["status"].clone();
    let ended = outcome.is_some() && count.active.is_empty() && count.terminating == 0;
    put(
        &mut status,
        &[
            ("active", json!(count.active.len())),
            ("ready", json!(count.ready)),
            ("terminating", json!(count.terminating)),
            ("succeeded", json!(count.succeeded)),
            ("failed", json!(count.failed)),
            ("completedIndexes", json!(if job.is_indexed() { indexes::format(&count.done) } else { String::new() })),
        ],
    );
    if let Some(outcome) = outcome {
        let (target, end) =
            if outcome.succeeded { ("SuccessCriteriaMet", "Complete") } else { ("FailureTarget", "Failed") };
        say(&mut status, target, "True", outcome.reason, outcome.message, now);
        if ended {
            say(&mut status, end, "True", outcome.reason, outcome.message, now);
            if outcome.succeeded {
                status["completionTime"] = json!(now.rfc3339());
            }
        }
    } else if job.is_suspended() {
        say(&mut status, "Suspended", "True", "JobSuspended", "Job suspended", now);
        put(&mut status, &[("startTime", Value::Null)]);
        return status;
    } else if job.holds("Suspended") {
        say(&mut status, "Suspended", "False", "JobResumed", "Job resumed", now);
    }
    if number(&status, &["startTime"]).is_none() && text(&status, &["startTime"]).is_empty() {
        status["startTime"] = json!(now.rfc3339());
    }
    status
}

fn say(status: &mut Value, type_: &str, is: &str, reason: &str, message: &str, now: Timestamp) {
    let known = condition::find(status, type_);
    if known.is_some_and(|known| text(known, &["status"]) == is) {
        return;
    }
    let said = json!({"type": type_, "status": is, "reason": reason, "message": message,
        "lastProbeTime": now.rfc3339(), "lastTransitionTime": now.rfc3339()});
    condition::put(status, said);
}
