//! Executors whose driver is gone while their owner, the notebook's pod, lives on.
//!
//! A driver that ends in any usual way takes its executors down itself; when the whole pod goes, the cluster's garbage
//! collection does. What is left: the driver's process killed outright. Then the executors end by themselves, and their
//! finished pods and ConfigMaps would stay for ever (wire facts, section 3); so would executors that wait for room. A driver
//! that was killed while it cleaned up may leave a ConfigMap alone.

use crate::driver::{self, Drivers};
use crate::index::Index;
use crate::view::{Key, ended, is_over, label, owner_pod, phase};
use emberyard_client::{ApiError, Client, ContentKind};
use emberyard_manifest::{SPARK_APP_LABEL, SPARK_ROLE_LABEL};
use emberyard_model::Timestamp;
use http::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A living driver deletes a finished executor within a second or two.
const PATIENCE: Duration = Duration::from_secs(2);
/// A driver without executors is asked at this pace whether it is there: dynamic allocation may leave it so for long.
const ALONE: Duration = Duration::from_secs(5);
/// How far the clocks of a node and of the API server may be apart.
const SKEW: Duration = Duration::from_secs(10);
/// Everything that an application may leave behind.
const LEFTOVERS: [&str; 4] = ["pods", "configmaps", "services", "persistentvolumeclaims"];
/// The container of a notebook's pod in which drivers live.
const DRIVERS_IN: &str = "notebook";
/// Where an executor is told its driver's address.
const DRIVER_URL: &str = "SPARK_DRIVER_URL";

/// Remembers which applications it asked about, and when.
#[derive(Debug, Default)]
pub struct Reaper {
    asked: BTreeMap<Key, Timestamp>,
}

/// An application without a single executor at work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Suspect<'a> {
    /// The driver's pod.
    pod: Key,
    id: &'a str,
    /// The driver's port, as its executors know it.
    port: Option<u16>,
    /// Whether every executor has ended; else some have not begun.
    over: bool,
    /// Whether only its ConfigMap is there.
    alone: bool,
}

impl Reaper {
    /// Looks for applications that seem abandoned, asks their pods, and removes what is.
    pub async fn step(&mut self, client: &Client, pods: &Index, config_maps: &Index, now: Timestamp) {
        let executors: Vec<&Value> = pods.values().filter(|pod| is_executor(pod)).collect();
        for (pod, application) in outlived(&executors, |owner| pods.get(owner)) {
            say(&pod, application, reap(client, &pod.namespace, application).await);
        }
        let mut suspects = suspects(&executors, now);
        suspects.extend(alone(config_maps.values(), &executors, now));
        self.ask(client, &suspects, now).await;
    }

    async fn ask(&mut self, client: &Client, suspects: &[Suspect<'_>], now: Timestamp) {
        let pods: BTreeSet<&Key> = suspects.iter().map(|suspect| &suspect.pod).collect();
        self.asked.retain(|pod, _| pods.contains(pod));
        for pod in pods {
            let alone = suspects.iter().all(|one| one.pod != *pod || one.alone);
            let pace = if alone { ALONE } else { PATIENCE };
            if self.asked.get(pod).is_some_and(|asked| now.since(*asked) < pace) {
                continue;
            }
            self.asked.insert(pod.clone(), now);
            // What contexts show counts only once an application is over.
            let over = suspects.iter().any(|one| one.pod == *pod && one.over);
            let answer =
                if over { driver::ask(client, pod).await } else { driver::ask_for_processes(client, pod).await };
            // No answer: the pod is on its way out or up; asked again later.
            let Ok(drivers) = answer else { continue };
            for Suspect { id, .. } in suspects.iter().filter(|one| one.pod == *pod && one.is_gone(&drivers)) {
                say(pod, id, reap(client, &pod.namespace, id).await);
            }
        }
    }
}

fn say(pod: &Key, application: &str, reaped: Result<(), ApiError>) {
    match reaped {
        Ok(()) => tracing::info!(%pod, application, "leftovers of a killed Spark driver removed"),
        Err(error) => tracing::warn!(%pod, application, %error, "leftovers not removed yet"),
    }
}

fn is_executor(pod: &Value) -> bool {
    label(pod, SPARK_ROLE_LABEL) == Some("executor")
}

/// The pod of the driver that made an object, and the application.
fn application(object: &Value) -> Option<(Key, &str)> {
    Some((Key::new(Key::of(object).namespace, owner_pod(object)?), label(object, SPARK_APP_LABEL)?))
}

/// Applications whose driver's pod is gone or over, or whose driver's container does not run, or is younger than they: it
/// ended, and begins anew without it. Garbage collection would give their executors half a minute to say good-bye to nobody.
fn outlived<'a>(executors: &[&'a Value], pod: impl Fn(&Key) -> Option<&'a Value>) -> BTreeSet<(Key, &'a str)> {
    let is_older = |executor: &Value, owner: &Value| {
        let containers = owner["status"]["containerStatuses"].as_array().into_iter().flatten();
        let mut drivers = containers.filter(|one| one["name"] == DRIVERS_IN);
        let younger = |since| created(executor).is_some_and(|created| created.plus(SKEW) < since);
        // It ran when it made the executor; now it may wait for its next start, up to five minutes.
        drivers.any(|one| one["state"].get("running").is_none() || started(one).is_some_and(younger))
    };
    let applications = executors.iter().filter_map(|executor| {
        let (key, id) = application(executor)?;
        let owner = pod(&key).filter(|owner| owned_by(executor, owner));
        owner.is_none_or(|owner| is_over(owner) || is_older(executor, owner)).then_some((key, id))
    });
    applications.collect()
}

/// Whether the owner is that very pod, and not a later one of its name.
fn owned_by(executor: &Value, owner: &Value) -> bool {
    let mut owners = executor["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    owners.any(|reference| reference["uid"] == owner["metadata"]["uid"])
}

fn started(container: &Value) -> Option<Timestamp> {
    Timestamp::parse(container["state"]["running"]["startedAt"].as_str()?).ok()
}

/// Applications of which no executor has been at work for a while.
fn suspects<'a>(executors: &[&'a Value], now: Timestamp) -> Vec<Suspect<'a>> {
    let mut found: BTreeMap<(Key, &'a str), Option<Suspect<'a>>> = BTreeMap::new();
    for pod in executors {
        let Some((key, id)) = application(pod) else { continue };
        let long_ago = |since: Option<Timestamp>| since.is_some_and(|since| now.since(since) >= PATIENCE);
        let over = is_over(pod) && long_ago(ended(pod));
        let waits = phase(pod) == "Pending" && long_ago(created(pod));
        let fresh = Suspect { pod: key.clone(), id, port: driver_port(pod), over: true, alone: false };
        let entry = found.entry((key, id)).or_insert(Some(fresh));
        match entry {
            Some(suspect) if over || waits => suspect.over &= over,
            _ => *entry = None,
        }
    }
    found.into_values().flatten().collect()
}

/// Applications of which there is a ConfigMap for a while, and not one executor.
fn alone<'a>(
    config_maps: impl Iterator<Item = &'a Value>,
    executors: &[&'a Value],
    now: Timestamp,
) -> BTreeSet<Suspect<'a>> {
    let with_executors: BTreeSet<&str> = executors.iter().filter_map(|pod| label(pod, SPARK_APP_LABEL)).collect();
    config_maps
        .filter(|map| created(map).is_some_and(|since| now.since(since) >= PATIENCE))
        .filter_map(application)
        .filter(|(_, id)| !with_executors.contains(id))
        .map(|(pod, id)| Suspect { pod, id, port: None, over: true, alone: true })
        .collect()
}

fn created(pod: &Value) -> Option<Timestamp> {
    Timestamp::parse(pod["metadata"]["creationTimestamp"].as_str()?).ok()
}

fn driver_port(pod: &Value) -> Option<u16> {
    let containers = pod["spec"]["containers"].as_array()?;
    let mut settings = containers.iter().filter_map(|container| container["env"].as_array()).flatten();
    let url = settings.find(|setting| setting["name"] == DRIVER_URL)?["value"].as_str()?;
    url.rsplit_once(':')?.1.parse().ok()
}

impl Suspect<'_> {
    /// Whether it surely has no driver: nobody listens where its executors would call; or there is no driver process at
    /// all, or each of them shows another application. The latter counts only once all is over, as a driver makes its
    /// first executors before it shows itself.
    fn is_gone(&self, drivers: &Drivers) -> bool {
        if let (Some(port), Some(listening)) = (self.port, &drivers.listening)
            && !listening.contains(&port)
        {
            return true;
        }
        let shown = drivers.contexts.len() >= drivers.processes as usize;
        self.over && shown && drivers.contexts.iter().all(|context| context.id != self.id)
    }
}

async fn reap(client: &Client, namespace: &str, application: &str) -> Result<(), ApiError> {
    let selector = format!("{SPARK_APP_LABEL}={application}");
    // An executor without a driver has nobody to hand its blocks to.
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "gracePeriodSeconds": 1});
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

    fn executor(app: &str, phase: &str, since: &str) -> Value {
        json!({
            "metadata": {"namespace": "d", "name": "e", "labels": {"spark-role": "executor", "spark-app-selector": app},
                         "creationTimestamp": since, "ownerReferences": [{"kind": "Pod", "name": "nb-0"}]},
            "spec": {"containers": [{"env": [{"name": "SPARK_DRIVER_URL", "value": "spark://C@nb.d.svc:29413"}]}]},
            "status": {"phase": phase, "containerStatuses": [{"state": {"terminated": {"finishedAt": since}}}]},
        })
    }

    #[test]
    fn only_applications_without_an_executor_at_work_are_suspect() {
        let (old, new) = ("1970-01-01T00:01:00Z", "1970-01-01T00:01:59Z");
        let pods = [
            executor("dead", "Succeeded", old),
            executor("dead", "Failed", old),
            executor("half", "Succeeded", old),
            executor("half", "Running", old),
            executor("fresh", "Succeeded", new),
            executor("waits", "Pending", old),
            executor("waits", "Succeeded", old),
            executor("begins", "Pending", new),
        ];
        let found = suspects(&pods.iter().collect::<Vec<_>>(), Timestamp::from_seconds(120));
        let seen: Vec<_> = found.iter().map(|one| (one.id, one.port, one.over)).collect();
        assert_eq!(seen, [("dead", Some(29413), true), ("waits", Some(29413), false)]);
    }

    #[test]
    fn a_config_map_without_executors_is_suspect() {
        let map = |app: &str, since: &str| {
            json!({"metadata": {"namespace": "d", "name": "m", "labels": {"spark-app-selector": app},
                   "creationTimestamp": since, "ownerReferences": [{"kind": "Pod", "name": "nb-0"}]}})
        };
        let (old, new) = ("1970-01-01T00:01:00Z", "1970-01-01T00:01:59Z");
        let maps = [map("left", old), map("works", old), map("begins", new)];
        let executors = [executor("works", "Running", old)];
        let now = Timestamp::from_seconds(120);
        let found = alone(maps.iter(), &executors.iter().collect::<Vec<_>>(), now);
        let seen: Vec<_> = found.iter().map(|one| (one.id, one.port, one.over)).collect();
        assert_eq!(seen, [("left", None, true)]);
    }

    #[test]
    fn a_driver_ends_with_its_pod_and_its_container() {
        let executor = |app: &str, uid: &str, created: &str| {
            json!({"metadata": {"namespace": "d", "name": "e", "labels": {"spark-role": "executor", "spark-app-selector": app},
                   "creationTimestamp": created, "ownerReferences": [{"kind": "Pod", "name": "nb-0", "uid": uid}]}})
        };
        let state = json!({"running": {"startedAt": "1970-01-01T00:01:00Z"}});
        let mut owner = json!({"metadata": {"uid": "1"}, "status": {"phase": "Running", "containerStatuses": [
            {"name": "spark-door", "state": {"running": {"startedAt": "1970-01-01T09:00:00Z"}}},
            {"name": "notebook", "state": state}]}});
        let executors = [
            executor("before", "1", "1970-01-01T00:00:49Z"),
            executor("since", "1", "1970-01-01T00:00:50Z"),
            executor("another", "0", "1970-01-01T00:00:50Z"),
        ];
        let executors: Vec<&Value> = executors.iter().collect();
        let found = |owner: Option<&Value>| -> Vec<String> {
            let found = outlived(&executors, |key| owner.filter(|_| *key == Key::new("d", "nb-0")));
            found.into_iter().map(|(_, id)| id.to_owned()).collect()
        };
        assert_eq!(found(Some(&owner)), ["another", "before"]);
        owner["status"]["containerStatuses"][1]["state"] = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        assert_eq!(found(Some(&owner)), ["another", "before", "since"]);
        owner["status"]["phase"] = json!("Failed");
        assert_eq!(found(Some(&owner)), ["another", "before", "since"]);
        assert_eq!(found(None), ["another", "before", "since"]);
    }

    fn suspect(over: bool, port: Option<u16>) -> Suspect<'static> {
        Suspect { pod: Key::new("d", "nb-0"), id: "a", port, over, alone: false }
    }

    #[test]
    fn a_driver_without_ui_protects_its_executors() {
        let context = |id: &str| Context { id: id.to_owned(), settings: BTreeMap::new() };
        let drivers = |processes, contexts| Drivers { processes, contexts, listening: None };
        let over = suspect(true, Some(7));
        assert!(over.is_gone(&drivers(0, vec![])));
        assert!(over.is_gone(&drivers(1, vec![context("b")])));
        assert!(!over.is_gone(&drivers(1, vec![context("a")])));
        assert!(!over.is_gone(&drivers(1, vec![])));
        assert!(!over.is_gone(&drivers(2, vec![context("b")])));
    }

    #[test]
    fn nobody_at_the_drivers_port_is_nobody() {
        let drivers = |ports: &[u16]| Drivers {
            processes: 1,
            contexts: vec![],
            listening: Some(ports.iter().copied().collect()),
        };
        for over in [true, false] {
            assert!(suspect(over, Some(7)).is_gone(&drivers(&[4040, 8])));
            assert!(!suspect(over, Some(7)).is_gone(&drivers(&[7])));
            assert!(!suspect(over, None).is_gone(&drivers(&[8])));
        }
        // It waits, and a driver shows nothing yet: perhaps it is just starting.
        assert!(!suspect(false, None).is_gone(&Drivers::default()));
    }
}
