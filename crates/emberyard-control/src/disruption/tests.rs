use super::DisruptionBudgets;
use crate::fake::Bench;
use crate::reconcile::Loop;
use crate::resources;
use emberyard_model::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn budget(spec: &Value) -> Value {
    let mut budget = json!({"metadata": {"name": "web", "namespace": "default", "generation": 1},
        "spec": {"selector": {"matchLabels": {"app": "web"}}}});
    for (field, value) in spec.as_object().into_iter().flatten() {
        budget["spec"][field] = value.clone();
    }
    budget
}

fn pod(name: &str, ready: bool, owner: Option<(&str, &str)>) -> Value {
    let mut pod = json!({"metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}});
    if let Some((kind, uid)) = owner {
        pod["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "apps/v1", "kind": kind, "name": "web", "uid": uid, "controller": true}]);
    }
    pod
}

fn scaled(name: &str, uid: &str, replicas: i64) -> Value {
    json!({"metadata": {"name": name, "namespace": "default", "uid": uid}, "spec": {"replicas": replicas}})
}

fn status(bench: &Bench) -> Value {
    bench.api.get(&resources::pod_disruption_budgets(), "default", "web").unwrap()["status"].clone()
}

fn numbers(bench: &Bench) -> [i64; 4] {
    let status = status(bench);
    ["currentHealthy", "desiredHealthy", "expectedPods", "disruptionsAllowed"]
        .map(|field| status[field].as_i64().unwrap())
}

#[test]
fn budgets_count() {
    let set = Some(("StatefulSet", "set"));
    let table = [
        (json!({"minAvailable": 2}), [2, 2, 3, 0]),
        (json!({"minAvailable": 1}), [2, 1, 3, 1]),
        (json!({"minAvailable": "50%"}), [2, 3, 5, 0]),
        (json!({"maxUnavailable": 1}), [2, 4, 5, 0]),
        (json!({"maxUnavailable": "70%"}), [2, 1, 5, 1]),
        (json!({"maxUnavailable": "100%"}), [2, 0, 5, 2]),
        (json!({"minAvailable": 0, "selector": null}), [0, 0, 0, 0]),
        (json!({"minAvailable": 0, "selector": {}}), [2, 0, 3, 2]),
    ];
    for (spec, wanted) in table {
        let mut bench = Bench::new(NOW);
        bench.api.create(&resources::stateful_sets(), scaled("web", "set", 5));
        for (name, ready) in [("a", true), ("b", true), ("c", false)] {
            bench.api.create(&resources::pods(), pod(name, ready, set));
        }
        bench.api.create(&resources::pod_disruption_budgets(), budget(&spec));
        bench.start(Box::new(Loop::new(DisruptionBudgets)));
        bench.settle();
        assert_eq!(numbers(&bench), wanted, "{spec}");
        let condition = &status(&bench)["conditions"][0];
        let allowed = wanted[3] > 0;
        assert_eq!(condition["status"], if allowed { "True" } else { "False" });
        assert_eq!(condition["reason"], if allowed { "SufficientPods" } else { "InsufficientPods" });
        assert_eq!(status(&bench)["observedGeneration"], 1);
    }
}

#[test]
fn a_deployment_stands_behind_its_replica_sets() {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::deployments(), scaled("web", "deployment", 4));
    for uid in ["old", "new"] {
        let mut set = scaled(uid, uid, 3);
        set["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
            "uid": "deployment", "controller": true}]);
        bench.api.create(&resources::replica_sets(), set);
        bench.api.create(&resources::pods(), pod(uid, true, Some(("ReplicaSet", uid))));
    }
    bench.api.create(&resources::pod_disruption_budgets(), budget(&json!({"maxUnavailable": "50%"})));
    bench.start(Box::new(Loop::new(DisruptionBudgets)));
    bench.settle();
    assert_eq!(numbers(&bench), [2, 2, 4, 0]);
    bench.api.edit(&resources::deployments(), "default", "web", |one| one["spec"]["replicas"] = json!(2));
    bench.settle();
    assert_eq!(numbers(&bench), [2, 1, 2, 1]);
}

#[test]
fn pods_of_nobody_known_allow_nothing() {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::pods(), pod("a", true, Some(("Job", "job"))));
    bench.api.create(&resources::pod_disruption_budgets(), budget(&json!({"maxUnavailable": 1})));
    bench.start(Box::new(Loop::new(DisruptionBudgets)));
    bench.settle();
    assert_eq!(status(&bench)["disruptionsAllowed"], 0);
    assert_eq!(status(&bench)["conditions"][0]["reason"], "SyncFailed");
}

#[test]
fn granted_evictions_count_until_the_pod_goes_or_stays() {
    let mut bench = Bench::new(NOW);
    for name in ["a", "b", "c"] {
        bench.api.create(&resources::pods(), pod(name, true, None));
    }
    bench.api.create(&resources::pod_disruption_budgets(), budget(&json!({"minAvailable": 1})));
    bench.start(Box::new(Loop::new(DisruptionBudgets)));
    bench.settle();
    assert_eq!(numbers(&bench), [3, 1, 3, 2]);
    // As the eviction subresource writes it.
    bench.api.edit(&resources::pod_disruption_budgets(), "default", "web", |one| {
        one["status"]["disruptedPods"] = json!({"a": NOW.rfc3339(), "b": NOW.rfc3339()});
        one["status"]["disruptionsAllowed"] = json!(0);
    });
    bench.settle();
    assert_eq!(numbers(&bench), [1, 1, 3, 0]);
    bench.api.delete(&(resources::pods(), "default".to_owned(), "a".to_owned()), &json!({}));
    bench.settle();
    assert_eq!(status(&bench)["disruptedPods"].as_object().unwrap().keys().collect::<Vec<_>>(), ["b"]);
    bench.pass(Duration::from_mins(3));
    assert_eq!(
        (numbers(&bench), status(&bench).get("disruptedPods")),
        ([2, 1, 2, 1], None),
        "it was not deleted after all"
    );
}
