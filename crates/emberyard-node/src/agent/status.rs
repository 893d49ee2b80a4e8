//! Writes one pod's status to the API server: always the newest, however long the server was away.

use super::Node;
use emberyard_client::{ContentKind, path};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// What shall be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wanted {
    /// The status; `Null` before the first.
    pub status: Value,
    /// Delete the object after it.
    pub finalize: bool,
}

/// The pod it is about.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub namespace: String,
    pub name: String,
    pub uid: String,
}

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Runs until the object is gone; says so by `done`.
pub(super) async fn write(node: Arc<Node>, subject: Subject, mut wanted: watch::Receiver<Wanted>, done: Arc<Notify>) {
    let target = path("", "v1", &subject.namespace, "pods", &subject.name);
    let mut written = Value::Null;
    let mut wait = FIRST_WAIT;
    loop {
        let now: Wanted = wanted.borrow_and_update().clone();
        let outcome = if now.status != written && !now.status.is_null() {
            let patch = json!({"metadata": {"uid": subject.uid}, "status": now.status});
            let path = format!("{target}/status");
            node.client.patch(&path, &patch, ContentKind::StrategicMergePatch).await.map(|_| written = now.status)
        } else if now.finalize {
            let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0,
                "preconditions": {"uid": subject.uid}});
            let method = http::Method::DELETE;
            match node.client.request(method, &target, &[], Some(&options), ContentKind::Json).await {
                Ok(_) => return done.notify_one(),
                Err(error) => Err(error),
            }
        } else {
            if wanted.changed().await.is_err() {
                return;
            }
            continue;
        };
        match outcome {
            Ok(()) => wait = FIRST_WAIT,
            // Gone, or another pod has the name now.
            Err(error) if error.is_not_found() || error.is_conflict() => {
                if now.finalize {
                    return done.notify_one();
                }
                tracing::debug!(pod = %subject.name, %error, "status not written");
                if wanted.changed().await.is_err() {
                    return;
                }
            }
            Err(error) => {
                if !error.is_passing() {
                    tracing::warn!(pod = %subject.name, %error, "status refused");
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}
