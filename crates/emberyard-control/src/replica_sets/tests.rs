use super::{ReplicaSets, ranking};
use crate::fake::Bench;
use crate::reconcile::Loop;
use crate::resources;
use emberyard_model::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn set(replicas: i64) -> Value {
    json!({"metadata": {"name": "web", "namespace": "default", "uid": "set", "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web", "more": "x"}}, "spec": {"containers": [{"name": "c"}]}}},
        "status": {"replicas": 0}})
}

fn bench(replicas: i64) -> Bench {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::replica_sets(), set(replicas));
    bench.start(Box::new(Loop::new(ReplicaSets::default())));
    bench.settle();
    bench
}

fn pods(bench: &Bench) -> Vec<String> {
    bench.api.names(&resources::pods())
}

fn scale(bench: &mut Bench, replicas: i64) {
    bench.api.edit(&resources::replica_sets(), "default", "web", |set| set["spec"]["replicas"] = json!(replicas));
    bench.settle();
}

fn runs(bench: &mut Bench, name: &str) {
    let since = bench.now.rfc3339();
    bench.api.edit(&resources::pods(), "default", name, |pod| {
        pod["status"] = json!({"phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": since}]});
    });
    bench.settle();
}

#[test]
fn so_many_pods_and_no_more() {
    let mut bench = bench(3);
    let made = pods(&bench);
    assert_eq!(made.len(), 3);
    assert_eq!(bench.api.seen.iter().filter(|line| line.starts_with("POST")).count(), 3);
    for name in &made {
        runs(&mut bench, name);
    }
    let status = bench.api.get(&resources::replica_sets(), "default", "web").unwrap()["status"].clone();
    assert_eq!(
        status,
        json!({"replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "fullyLabeledReplicas": 3,
        "observedGeneration": 1})
    );
    scale(&mut bench, 1);
    assert_eq!(pods(&bench).len(), 1);
    scale(&mut bench, 60);
    assert_eq!(pods(&bench).len(), 60);
    scale(&mut bench, 0);
    assert_eq!(pods(&bench).len(), 0);
    let requests = bench.api.seen.len();
    bench.crash();
    bench.start(Box::new(Loop::new(ReplicaSets::default())));
    bench.settle();
    assert_eq!(bench.api.seen.len(), requests, "a restart changes nothing");
}

#[test]
fn what_ends_is_replaced_and_what_is_free_is_taken() {
    let mut bench = bench(2);
    let lost = pods(&bench)[0].clone();
    bench.api.edit(&resources::pods(), "default", &lost, |pod| pod["status"] = json!({"phase": "Failed"}));
    bench.settle();
    assert_eq!(pods(&bench).len(), 3, "the failed one stays to be looked at");
    bench.api.create(
        &resources::pods(),
        json!({"metadata": {"name": "free", "namespace": "default", "labels": {"app": "web"}}}),
    );
    bench.settle();
    let owned = bench
        .api
        .get(&resources::pods(), "default", "free")
        .is_none_or(|pod| pod["metadata"]["ownerReferences"][0]["uid"] == "set");
    assert!(owned, "taken, and perhaps surplus then");
    assert_eq!(pods(&bench).len(), 3);
}

#[test]
fn the_least_missed_goes_first() {
    let pod = |name: &str, node: &str, ready: Option<&str>, cost: &str| {
        let mut pod =
            json!({"metadata": {"name": name, "annotations": {}}, "spec": {}, "status": {"phase": "Running"}});
        if !node.is_empty() {
            pod["spec"]["nodeName"] = json!(node);
        }
        if let Some(since) = ready {
            pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True", "lastTransitionTime": since}]);
        }
        if !cost.is_empty() {
            pod["metadata"]["annotations"]["controller.kubernetes.io/pod-deletion-cost"] = json!(cost);
        }
        pod
    };
    let (early, late) = (Some("2026-01-01T00:00:00Z"), Some("2026-01-02T00:00:00Z"));
    let ordered = [
        pod("unbound", "", None, ""),
        pod("unready", "n1", None, ""),
        pod("cheap", "n2", early, "-1"),
        pod("crowded", "n1", late, ""),
        pod("crowded-long", "n1", early, ""),
        pod("young", "n2", late, ""),
        pod("dear", "n3", late, "5"),
    ];
    let mut mixed: Vec<&Value> = ordered.iter().collect();
    mixed.reverse();
    let found: Vec<&str> =
        ranking::first_to_go(&mixed, 7).iter().map(|pod| pod["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(found, ["unbound", "unready", "cheap", "crowded", "crowded-long", "young", "dear"]);
}

#[test]
fn faults_pass() {
    for fault in ["POST", "PUT", "DELETE"] {
        for status in [500, 429, 0] {
            let mut bench = Bench::new(NOW);
            bench.api.create(&resources::replica_sets(), set(3));
            bench.api.faults.push((fault.to_owned(), status, 2));
            bench.start(Box::new(Loop::new(ReplicaSets::default())));
            bench.pass(Duration::from_secs(20));
            assert_eq!(pods(&bench).len(), 3, "{fault} {status}");
            scale(&mut bench, 1);
            bench.pass(Duration::from_secs(20));
            assert_eq!(pods(&bench).len(), 1, "{fault} {status}");
        }
    }
}
