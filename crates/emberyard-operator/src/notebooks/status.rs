//! What a notebook's status says: pure.

use super::observe::Observed;
use crate::view::{annotation, condition, is_leaving, serves, settle};
use emberyard_manifest::{InvalidNotebook, SPEC_ANNOTATION, Session, build};
use emberyard_model::{Explained, NotebookPhase, NotebookStatus, Timestamp};
use serde_json::Value;

/// Of a notebook whose spec can be carried out.
pub fn of_session(session: &Session, observed: &Observed, now: Timestamp) -> NotebookStatus {
    let ready = observed.pod.as_ref().is_some_and(serves);
    let phase = match (&observed.pod, session.stopped, ready) {
        (None, true, _) => NotebookPhase::Stopped,
        (_, false, true) => NotebookPhase::Running,
        _ => NotebookPhase::Pending,
    };
    let first = match phase {
        NotebookPhase::Running => ("True", "Answering", "JupyterLab answers.".to_owned()),
        NotebookPhase::Stopped => ("False", "Stopped", "It is stopped.".to_owned()),
        _ => ("False", "Starting", obstacle(observed.pod.as_ref())),
    };
    let second = if is_up_to_date(session, observed) {
        ("True", "AsWanted", "The pod is as the spec says.".to_owned())
    } else {
        (
            "False",
            "SpecChanged",
            "The spec has changed since the pod was started; stop and start it to apply.".to_owned(),
        )
    };
    NotebookStatus {
        observed_generation: observed.generation,
        phase,
        url: Some(session.url()),
        pod: Some(session.names().pod()),
        token_secret: Some(session.token_secret.clone()),
        conditions: [("Ready", first), ("UpToDate", second)]
            .map(|(kind, said)| settle(&observed.status.conditions, kind, said, now))
            .to_vec(),
        sessions: observed.sessions.clone(),
    }
}

/// Of a notebook whose spec can't be carried out.
pub fn of_invalid(error: &InvalidNotebook, observed: &Observed, now: Timestamp) -> NotebookStatus {
    let message = format!("{error}. {}", error.code().cure);
    NotebookStatus {
        observed_generation: observed.generation,
        phase: NotebookPhase::Invalid,
        conditions: vec![settle(&observed.status.conditions, "Ready", ("False", error.code().id, message), now)],
        ..observed.status.clone()
    }
}

fn is_up_to_date(session: &Session, observed: &Observed) -> bool {
    let wanted = build(session).pod;
    let (Some(found), Some(wanted)) = (&observed.pod, &wanted) else { return true };
    annotation(found, SPEC_ANNOTATION) == annotation(wanted, SPEC_ANNOTATION)
}

/// What keeps a pod from being ready, in the words of whoever knows.
fn obstacle(pod: Option<&Value>) -> String {
    let Some(pod) = pod else { return "The pod is about to be made.".to_owned() };
    if is_leaving(pod) {
        return "The pod is being stopped.".to_owned();
    }
    if let Some(unscheduled) = condition(pod, "PodScheduled").filter(|found| found["status"] == "False") {
        return format!("No node takes the pod: {}", text(unscheduled, "message"));
    }
    let statuses = pod["status"]["containerStatuses"].as_array();
    for status in statuses.into_iter().flatten() {
        let waiting = &status["state"]["waiting"];
        let reason = text(waiting, "reason");
        if !matches!(reason, "" | "ContainerCreating" | "PodInitializing") || waiting["message"].is_string() {
            return format!("The container {} waits: {reason}: {}", text(status, "name"), text(waiting, "message"));
        }
    }
    "The pod is being started.".to_owned()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notebooks::observe::no_spark;
    use emberyard_manifest::{SessionSettings, validate};
    use serde_json::json;

    fn line(spec: Value, pod: Option<Value>, before: Value) -> String {
        let notebook = json!({"metadata": {"namespace": "d", "name": "a", "uid": "1", "generation": 3}, "spec": spec, "status": before});
        let observed = Observed::new(&notebook, pod.as_ref(), &no_spark()).unwrap();
        let settings = SessionSettings::new("http://127.0.0.1:1");
        let now = Timestamp::from_seconds(60);
        let status = match validate(observed.identity.clone(), observed.spec.clone().unwrap(), &settings) {
            Ok(session) => of_session(&session, &observed, now),
            Err(error) => of_invalid(&error, &observed, now),
        };
        let ready = &status.conditions[0];
        format!("{:?} {} {} {}", status.phase, ready.status, ready.last_transition_time, ready.message)
    }

    #[test]
    fn what_is_said() {
        let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let pending =
            json!({"status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}]}});
        let pulling = json!({"status": {"containerStatuses": [{"name": "notebook", "state": {"waiting": {"reason": "ErrImagePull", "message": "unknown"}}}]}});
        let since = json!({"conditions": [{"type": "Ready", "status": "True", "reason": "", "message": "", "lastTransitionTime": "1970-01-01T00:00:01Z"}]});
        let lines = [
            line(json!({}), None, json!(null)),
            line(json!({}), Some(pending), json!(null)),
            line(json!({}), Some(pulling), json!(null)),
            line(json!({}), Some(ready.clone()), json!(null)),
            line(json!({}), Some(ready.clone()), since),
            line(json!({"stopped": true}), Some(ready), json!(null)),
            line(json!({"stopped": true}), None, json!(null)),
            line(json!({"folder": {"path": "x"}}), None, json!(null)),
        ];
        insta::assert_snapshot!(lines.join("\n"));
    }
}
