//! Controllers of many pods against the server's real request path: rights, validation, garbage collection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod yard;

use emberyard_model::Timestamp;
use emberyard_object::{ApiRequest, DeleteOptions, Gvr};
use serde_json::{Value, json};
use yard::Yard;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const SPACE: Option<&str> = Some("default");

fn apps(resource: &str) -> Gvr {
    Gvr::new("apps", "v1", resource)
}

fn workload(kind: &str, name: &str, replicas: i64) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}}})
}

/// As the agents of the nodes would: what runs becomes ready, what is to end ends.
fn play(yard: &mut Yard, until: &str) {
    for _ in 0..40 {
        let mut busy = false;
        for name in yard.names(&Gvr::core("pods"), SPACE) {
            let pod = yard.get(&Gvr::core("pods"), SPACE, &name).unwrap();
            if pod["metadata"]["deletionTimestamp"].is_string() {
                let now = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
                yard.admin(&ApiRequest::delete(&Gvr::core("pods"), (SPACE, &name), &now));
                busy = true;
            } else if pod["status"]["phase"] == "Pending" {
                let phase = if pod["spec"]["restartPolicy"] == "Never" { "Succeeded" } else { "Running" };
                let status = json!({"status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True",
                    "lastTransitionTime": yard.now.rfc3339()}]}});
                yard.admin(&ApiRequest::patch_strategic_status(&Gvr::core("pods"), (SPACE, &name), status));
                busy = true;
            }
            yard.settle();
        }
        if !busy {
            return;
        }
    }
    panic!("{until} does not come to rest");
}

fn with(of: &str, yard: &mut Yard) -> usize {
    yard.names(&Gvr::core("pods"), SPACE).iter().filter(|name| name.starts_with(of)).count()
}

#[test]
fn sets_deployments_jobs_and_budgets_live_and_end() {
    let mut yard = Yard::new(NOW);
    let mut set = workload("StatefulSet", "db", 2);
    set["spec"]["serviceName"] = json!("db");
    set["spec"]["persistentVolumeClaimRetentionPolicy"] = json!({"whenScaled": "Delete", "whenDeleted": "Delete"});
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]);
    yard.admin(&ApiRequest::create(&apps("statefulsets"), SPACE, set));
    yard.admin(&ApiRequest::create(&apps("deployments"), SPACE, workload("Deployment", "site", 3)));
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "sum"},
        "spec": {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "ttlSecondsAfterFinished": 30, "template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}});
    yard.admin(&ApiRequest::create(&Gvr::new("batch", "v1", "jobs"), SPACE, job.clone()));
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "site"},
        "spec": {"maxUnavailable": "40%", "selector": {"matchLabels": {"app": "site"}}}});
    yard.admin(&ApiRequest::create(&Gvr::new("policy", "v1", "poddisruptionbudgets"), SPACE, budget));
    yard.settle();
    play(&mut yard, "the beginning");

    let set = yard.get(&apps("statefulsets"), SPACE, "db").unwrap();
    assert_eq!((&set["status"]["readyReplicas"], &set["status"]["observedGeneration"]), (&json!(2), &json!(1)));
    let claims = yard.names(&Gvr::core("persistentvolumeclaims"), SPACE);
    assert_eq!(claims, ["data-db-0", "data-db-1"]);
    let site = yard.get(&apps("deployments"), SPACE, "site").unwrap();
    assert_eq!(
        (&site["status"]["availableReplicas"], &site["status"]["observedGeneration"]),
        (&json!(3), &site["metadata"]["generation"])
    );
    let sum = yard.get(&Gvr::new("batch", "v1", "jobs"), SPACE, "sum").unwrap();
    assert_eq!((&sum["status"]["succeeded"], &sum["status"]["completedIndexes"]), (&json!(2), &json!("0,1")));
    let budget = yard.get(&Gvr::new("policy", "v1", "poddisruptionbudgets"), SPACE, "site").unwrap();
    assert_eq!(budget["status"]["disruptionsAllowed"], 2);
    assert_eq!(budget["status"]["observedGeneration"], budget["metadata"]["generation"]);

    // A disk of a pod that is scaled away goes with it, and a new one comes with its next life.
    for replicas in [1, 2] {
        let scale = json!({"spec": {"replicas": replicas}});
        yard.admin(&ApiRequest::patch_merge(&apps("statefulsets"), (SPACE, "db"), scale).subresource("scale"));
        yard.settle();
        play(&mut yard, "scaling");
        assert_eq!(yard.names(&Gvr::core("persistentvolumeclaims"), SPACE).len(), replicas);
    }
    let update = json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i:2"}]}}}});
    for (resource, name) in [("statefulsets", "db"), ("deployments", "site")] {
        yard.admin(&ApiRequest::patch_strategic(&apps(resource), (SPACE, name), update.clone()));
        yard.settle();
        play(&mut yard, "a roll-out");
        let rolled = yard.get(&apps(resource), SPACE, name).unwrap();
        assert_eq!(rolled["status"]["updatedReplicas"], rolled["spec"]["replicas"], "{resource}");
    }
    assert_eq!((with("db-", &mut yard), with("site-", &mut yard), with("sum-", &mut yard)), (2, 3, 2));
    yard.start(); // what controllers knew is gone
    yard.pass(31, |_| {});
    assert_eq!(yard.get(&Gvr::new("batch", "v1", "jobs"), SPACE, "sum"), None, "a finished job goes with its pods");
    assert_eq!(with("sum-", &mut yard), 0);
    job["metadata"]["name"] = json!("waits");
    job["spec"]["suspend"] = json!(true);
    yard.admin(&ApiRequest::create(&Gvr::new("batch", "v1", "jobs"), SPACE, job));
    yard.settle();
    assert_eq!(with("waits-", &mut yard), 0);

    for (resource, name) in [("statefulsets", "db"), ("deployments", "site")] {
        yard.admin(&ApiRequest::delete(&apps(resource), (SPACE, name), &DeleteOptions::default()));
        yard.settle();
    }
    play(&mut yard, "the end");
    let left = ["replicasets", "controllerrevisions"].map(|resource| yard.names(&apps(resource), SPACE).len());
    assert_eq!((left, yard.names(&Gvr::core("pods"), SPACE).len()), ([0, 0], 0));
    assert_eq!(yard.names(&Gvr::core("persistentvolumeclaims"), SPACE).len(), 0);
    assert_eq!(yard.refused, Vec::<String>::new());
}
