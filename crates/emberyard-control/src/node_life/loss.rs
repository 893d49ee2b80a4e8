//! Pods of a node that is lost for certain: they are said to have failed, so that whoever made them makes new ones.

use super::same_pod;
use crate::index::Id;
use crate::reconcile::Work;
use crate::{resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, PodView, list, text};
use emberyard_object::{ApiRequest, DeleteOptions};
use serde_json::{Value, json};

/// What of a pod this controller needs.
pub(super) fn keep_pod(pod: &Value) -> Value {
    let mut kept = trim::only(pod, trim::LIFE);
    let names = |containers: &[Value]| -> Value {
        containers.iter().map(|one| json!({"name": text(one, &["name"]), "image": text(one, &["image"])})).collect()
    };
    kept["spec"] = json!({
        "nodeName": PodView(pod).node_name(),
        "tolerations": list(pod, &["spec", "tolerations"]),
        "containers": names(PodView(pod).containers()),
    });
    kept["status"] = json!({
        "phase": PodView(pod).phase(),
        "containerStatuses": list(pod, &["status", "containerStatuses"]),
    });
    kept
}

/// What to do about a pod of a lost node.
pub(super) fn of(pod: &Value, node: &str, now: Timestamp) -> Work {
    let resource = resources::pods();
    let id = Id::of(&resource, pod);
    if !PodView(pod).is_finished() {
        return Work::one(ApiRequest::patch_strategic_status(&resource, id.at(), failed(pod, node, now)));
    }
    if !Meta(pod).is_deleting() {
        return Work::default();
    }
    // Nobody is left on the node to say that it has ended.
    let options =
        DeleteOptions { grace_seconds: Some(0), uid: Some(Meta(pod).uid().to_owned()), ..DeleteOptions::default() };
    Work::one(ApiRequest::delete(&resource, id.at(), &options))
}

/// The status of a pod that died with its node: every container killed (137), which is what Spark looks for.
fn failed(pod: &Value, node: &str, now: Timestamp) -> Value {
    let known = list(pod, &["status", "containerStatuses"]);
    let ended = |container: &Value| {
        let name = text(container, &["name"]);
        let before = known.iter().find(|status| text(status, &["name"]) == name);
        if before.is_some_and(|status| status["state"].get("terminated").is_some_and(Value::is_object)) {
            return None;
        }
        let started = before.map_or(Value::Null, |status| status["state"]["running"]["startedAt"].clone());
        let mut ended = json!({"exitCode": 137, "reason": "NodeLost", "finishedAt": now.rfc3339()});
        ended["startedAt"] = if started.is_null() { json!(now.rfc3339()) } else { started };
        let mut status = before.cloned().unwrap_or_else(
            || json!({"name": name, "image": text(container, &["image"]), "imageID": "", "restartCount": 0}),
        );
        status["ready"] = json!(false);
        status["started"] = json!(false);
        status["state"] = json!({"terminated": ended, "running": null, "waiting": null});
        Some(status)
    };
    let statuses: Vec<Value> = PodView(pod).containers().iter().filter_map(ended).collect();
    let not_ready = |kind: &str| json!({"type": kind, "status": "False", "reason": "PodFailed", "lastTransitionTime": now.rfc3339()});
    json!({
        "metadata": same_pod(pod),
        "status": {
            "phase": "Failed", "reason": "NodeLost", "message": format!("Node {node} was lost, and the pod with it."),
            "containerStatuses": statuses,
            "conditions": [not_ready("Ready"), not_ready("ContainersReady")],
        },
    })
}
