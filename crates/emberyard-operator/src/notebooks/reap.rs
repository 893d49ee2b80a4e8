//! Executors whose driver is gone while their owner, the notebook's pod, lives on.
//!
//! A driver that ends in any usual way takes its executors down itself; when the whole pod goes, the cluster's garbage
//! collection does. What is left: the driver's process killed outright. Then the executors end by themselves, and their
//! finished pods and ConfigMaps would stay for ever (wire facts, section 3).

use crate::driver::{self, Drivers};
use crate::view::{Key, ended, is_over, label, owner_pod};
use emberyard_client::{ApiError, Client, ContentKind};
use emberyard_manifest::{SPARK_APP_LABEL, SPARK_ROLE_LABEL};
use emberyard_model::Timestamp;
use http::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A living driver deletes a finished executor within a second or two.
const PATIENCE: Duration = Duration::from_secs(10);
/// Everything that an application may leave behind.
const LEFTOVERS: [&str; 4] = ["pods", "configmaps", "services", "persistentvolumeclaims"];

/// Remembers which applications it asked about, and when.
#[derive(Debug, Default)]
pub struct Reaper {
    asked: BTreeMap<Key, Timestamp>,
}

/// An application: its driver's pod and its id.
type Application<'a> = (Key, &'a str);

impl Reaper {
    /// Looks for applications that seem abandoned, asks their pods, and removes what is.
    pub async fn step(&mut self, client: &Client, executors: &[&Value], now: Timestamp) {
        let suspects = suspects(executors, now);
        let pods: BTreeSet<&Key> = suspects.iter().map(|(pod, _)| pod).collect();
        self.asked.retain(|pod, _| pods.contains(pod));
        for pod in pods {
            if self.asked.get(pod).is_some_and(|asked| now.since(*asked) < PATIENCE) {
                continue;
            }
            self.asked.insert(pod.clone(), now);
            // No answer: the pod is on its way out or up; asked again later.
            let Ok(drivers) = driver::ask(client, pod).await else { continue };
            for (_, application) in suspects.iter().filter(|(owner, id)| owner == pod && is_gone(&drivers, id)) {
                match reap(client, &pod.namespace, application).await {
                    Ok(()) => tracing::info!(%pod, application, "leftovers of a killed Spark driver removed"),
                    Err(error) => tracing::warn!(%pod, application, %error, "leftovers not removed yet"),
                }
            }
        }
    }
}

/// Applications whose every executor has been over for a while.
fn suspects<'a>(executors: &[&'a Value], now: Timestamp) -> BTreeSet<Application<'a>> {
    let mut quiet: BTreeMap<Application<'a>, bool> = BTreeMap::new();
    for pod in executors.iter().filter(|pod| label(pod, SPARK_ROLE_LABEL) == Some("executor")) {
        let (Some(owner), Some(id)) = (owner_pod(pod), label(pod, SPARK_APP_LABEL)) else { continue };
        let over = is_over(pod) && ended(pod).is_some_and(|end| now.since(end) >= PATIENCE);
        *quiet.entry((Key::new(Key::of(pod).namespace, owner), id)).or_insert(true) &= over;
    }
    quiet.into_iter().filter(|(_, quiet)| *quiet).map(|(application, _)| application).collect()
}

/// Whether an application surely has no driver: no driver process at all, or each of them shows another application.
fn is_gone(drivers: &Drivers, id: &str) -> bool {
    let shown = drivers.contexts.len() >= drivers.drivers as usize;
    shown && drivers.contexts.iter().all(|context| context.id != id)
}

async fn reap(client: &Client, namespace: &str, application: &str) -> Result<(), ApiError> {
    let selector = format!("{SPARK_APP_LABEL}={application}");
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
    for resource in LEFTOVERS {
        let path = format!("/api/v1/namespaces/{namespace}/{resource}");
        client
            .request(Method::DELETE, &path, &[("labelSelector", &selector)], Some(&options), ContentKind::Json)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Context;

    fn executor(app: &str, phase: &str, end: &str) -> Value {
        json!({
            "metadata": {"namespace": "d", "name": "e", "labels": {"spark-role": "executor", "spark-app-selector": app},
                         "ownerReferences": [{"kind": "Pod", "name": "nb-0"}]},
            "status": {"phase": phase, "containerStatuses": [{"state": {"terminated": {"finishedAt": end}}}]},
        })
    }

    #[test]
    fn only_applications_that_are_wholly_over_are_suspect() {
        let (old, new) = ("1970-01-01T00:01:00Z", "1970-01-01T00:01:59Z");
        let pods = [
            executor("dead", "Succeeded", old),
            executor("dead", "Failed", old),
            executor("half", "Succeeded", old),
            executor("half", "Running", old),
            executor("fresh", "Succeeded", new),
        ];
        let found = suspects(&pods.iter().collect::<Vec<_>>(), Timestamp::from_seconds(120));
        assert_eq!(found.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), ["dead"]);
    }

    #[test]
    fn a_driver_without_ui_protects_its_executors() {
        let context = |id: &str| Context { id: id.to_owned(), settings: BTreeMap::new() };
        let drivers = |drivers, contexts| Drivers { drivers, contexts };
        assert!(is_gone(&drivers(0, vec![]), "a"));
        assert!(is_gone(&drivers(1, vec![context("b")]), "a"));
        assert!(!is_gone(&drivers(1, vec![context("a")]), "a"));
        assert!(!is_gone(&drivers(1, vec![]), "a"));
        assert!(!is_gone(&drivers(2, vec![context("b")]), "a"));
    }
}
