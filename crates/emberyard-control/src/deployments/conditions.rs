//! The conditions `Available` and `Progressing`.

use super::Deployment;
use crate::workload::number;
use emberyard_model::Timestamp;
use emberyard_object::condition;
use emberyard_object::view::{Meta, text};
use serde_json::{Value, json};
use std::time::Duration;

/// What a condition is to say.
struct Said {
    type_: &'static str,
    is: &'static str,
    reason: &'static str,
    message: String,
}

/// Writes a condition. One that says the same keeps its times, unless there is news under the same words.
fn write(status: &mut Value, said: &Said, news: bool, now: Timestamp) {
    let known = condition::find(status, said.type_).cloned().unwrap_or_default();
    let same = text(&known, &["status"]) == said.is;
    if same && text(&known, &["reason"]) == said.reason && text(&known, &["message"]) == said.message && !news {
        return;
    }
    let since = if same { known["lastTransitionTime"].clone() } else { json!(now.rfc3339()) };
    let condition = json!({"type": said.type_, "status": said.is, "reason": said.reason, "message": said.message,
        "lastUpdateTime": now.rfc3339(), "lastTransitionTime": since});
    condition::put(status, condition);
}

/// Brings the conditions of `status`, whose numbers are new already, in line; when time alone will change them.
pub(super) fn put(
    deployment: Deployment<'_>,
    new: Option<&Value>,
    status: &mut Value,
    now: Timestamp,
) -> Option<Timestamp> {
    let count = |of: &Value, field: &str| number(of, &[field]).unwrap_or(0);
    let (_, away) = deployment.leeway();
    let enough = count(status, "availableReplicas") >= deployment.replicas() - away;
    let (is, reason, message) = if enough {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    write(status, &Said { type_: "Available", is, reason, message: message.to_owned() }, false, now);

    let known = condition::find(status, "Progressing").cloned();
    let reason = known.as_ref().map_or("", |known| text(known, &["reason"]));
    let progressing = |is, reason, message: String| Said { type_: "Progressing", is, reason, message };
    if deployment.is_paused() {
        write(status, &progressing("Unknown", "DeploymentPaused", "Deployment is paused".to_owned()), false, now);
        return None;
    }
    if reason == "DeploymentPaused" {
        write(status, &progressing("Unknown", "DeploymentResumed", "Deployment is resumed".to_owned()), false, now);
        return Some(now);
    }
    let name = new.map_or("", |new| Meta(new).name());
    let due = deployment.replicas();
    let complete = ["updatedReplicas", "replicas", "availableReplicas"].iter().all(|field| count(status, field) == due);
    if complete && new.is_some() {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        write(status, &progressing("True", "NewReplicaSetAvailable", message), false, now);
        return None;
    }
    if reason == "NewReplicaSetAvailable" && count(status, "replicas") == count(status, "updatedReplicas") {
        return None; // a finished roll-out that lost pods, or is being scaled, is no new one
    }
    let before = &deployment.0["status"];
    let more = |field: &str| count(status, field) > count(before, field);
    let leaving = |of: &Value| count(of, "replicas") - count(of, "updatedReplicas");
    let moves = ["updatedReplicas", "readyReplicas", "availableReplicas"].into_iter().any(more)
        || leaving(status) < leaving(before);
    if moves || known.is_none() || matches!(reason, "NewReplicaSetAvailable" | "DeploymentResumed") {
        let (reason, message) = match (moves, new) {
            (false, Some(_)) => ("FoundNewReplicaSet", format!("Found new replica set \"{name}\"")),
            (_, Some(_)) => ("ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing.")),
            (_, None) => ("ReplicaSetUpdated", format!("Deployment \"{}\" is progressing.", deployment.meta().name())),
        };
        write(status, &progressing("True", reason, message), moves, now);
    }
    deadline(deployment, name, status, now)
}

/// Says that nothing has moved for too long, once that is so.
fn deadline(deployment: Deployment<'_>, name: &str, status: &mut Value, now: Timestamp) -> Option<Timestamp> {
    let seconds = number(deployment.0, &["spec", "progressDeadlineSeconds"])?;
    let known = condition::find(status, "Progressing")?;
    if text(known, &["reason"]) == "ProgressDeadlineExceeded" || seconds >= i64::from(i32::MAX) {
        return None;
    }
    let since = Timestamp::parse(text(known, &["lastUpdateTime"])).ok()?;
    let until = since.plus(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    if until > now {
        return Some(until);
    }
    let message = format!("ReplicaSet \"{name}\" has timed out progressing.");
    let said = Said { type_: "Progressing", is: "False", reason: "ProgressDeadlineExceeded", message };
    write(status, &said, false, now);
    None
}
