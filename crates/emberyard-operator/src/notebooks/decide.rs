//! What to do about a notebook: pure.

use super::observe::Observed;
use crate::view::{is_leaving, is_over};
use emberyard_manifest::{NotebookObjects, Session, build};
use serde_json::Value;

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Objects to write as they are, in this order.
    pub apply: Vec<Value>,
    /// Objects to make if they are missing, and never to change.
    pub once: Vec<Value>,
    /// Whether the token's secret is ours to make.
    pub makes_token: bool,
    /// What to do about the pod.
    pub pod: PodAction,
}

/// What to do about the pod.
#[derive(Debug, Clone, PartialEq)]
pub enum PodAction {
    /// Leave it, or the lack of it.
    Leave,
    /// Make it.
    Create(Box<Value>),
    /// End it; the text says why. What follows is decided when it is gone.
    Delete(&'static str),
}

/// Decides. A running pod is never replaced because its spec changed: the user's work is in it.
pub fn decide(session: &Session, observed: &Observed) -> Decision {
    let NotebookObjects { service_account, role, role_binding, config_map, outside, services, home, pod } =
        build(session);
    let [jupyter, driver, spark_ui] = services;
    let mut apply = vec![service_account, role, role_binding, config_map, jupyter, driver, spark_ui];
    apply.extend(outside);
    Decision { apply, once: vec![home], makes_token: session.makes_token, pod: pod_action(pod, observed) }
}

fn pod_action(wanted: Option<Value>, observed: &Observed) -> PodAction {
    match (&observed.pod, wanted) {
        (None, None) => PodAction::Leave,
        (None, Some(pod)) => PodAction::Create(Box::new(pod)),
        (Some(found), _) if is_leaving(found) => PodAction::Leave,
        (Some(_), None) => PodAction::Delete("the notebook is stopped"),
        (Some(found), Some(_)) if is_over(found) => PodAction::Delete("it has ended and is started again"),
        (Some(found), Some(_)) if !owned_by(found, &observed.identity.uid) => {
            PodAction::Delete("it belongs to an earlier notebook of this name")
        }
        (Some(_), Some(_)) => PodAction::Leave,
    }
}

fn owned_by(pod: &Value, uid: &str) -> bool {
    pod["metadata"]["ownerReferences"].as_array().into_iter().flatten().any(|owner| owner["uid"] == uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notebooks::observe::no_spark;
    use emberyard_manifest::{SessionSettings, validate};
    use serde_json::json;

    fn action(notebook: &Value, pod: Option<Value>) -> String {
        let observed = Observed::new(notebook, pod.as_ref(), &no_spark()).unwrap();
        let settings = SessionSettings::new("http://127.0.0.1:1");
        let session = validate(observed.identity.clone(), observed.spec.clone().unwrap(), &settings).unwrap();
        match decide(&session, &observed).pod {
            PodAction::Leave => "leave".to_owned(),
            PodAction::Create(pod) => format!("create {}", pod["metadata"]["name"]),
            PodAction::Delete(why) => format!("delete: {why}"),
        }
    }

    #[test]
    fn what_becomes_of_the_pod() {
        let notebook = json!({"metadata": {"namespace": "d", "name": "a", "uid": "1"}});
        let stopped = json!({"metadata": {"namespace": "d", "name": "a", "uid": "1"}, "spec": {"stopped": true}});
        let pod = |uid: &str, phase: &str| json!({"metadata": {"ownerReferences": [{"uid": uid}]}, "status": {"phase": phase}});
        let mut leaving = pod("1", "Running");
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        let table = [
            (&notebook, None, "create \"a-0\""),
            (&notebook, Some(pod("1", "Running")), "leave"),
            (&notebook, Some(pod("1", "Pending")), "leave"),
            (&notebook, Some(pod("1", "Failed")), "delete: it has ended and is started again"),
            (&notebook, Some(pod("0", "Running")), "delete: it belongs to an earlier notebook of this name"),
            (&notebook, Some(leaving.clone()), "leave"),
            (&stopped, Some(pod("1", "Running")), "delete: the notebook is stopped"),
            (&stopped, Some(leaving), "leave"),
            (&stopped, None, "leave"),
        ];
        for (notebook, pod, wanted) in table {
            assert_eq!(action(notebook, pod.clone()), wanted, "{notebook} {pod:?}");
        }
    }
}
