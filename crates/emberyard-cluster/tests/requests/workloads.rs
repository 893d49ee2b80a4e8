//! Kinds that stand for many pods: what is refused, their scale, and evictions under a budget.

use crate::yard::Yard;
use emberyard_cluster::Method::{Get, Patch, Post, Put};
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";
const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

fn apps(resource: &str) -> String {
    format!("/apis/apps/v1/namespaces/default/{resource}")
}

fn template(labels: &Value) -> Value {
    json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
}

fn workload(name: &str) -> Value {
    let labels = json!({"app": name});
    json!({"metadata": {"name": name}, "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template(&labels)}})
}

/// `object` with values put at dotted paths.
fn with(mut object: Value, changes: &[(&str, Value)]) -> Value {
    for (path, value) in changes {
        let slot = path.split('.').fold(&mut object, |at, key| &mut at[key]);
        *slot = value.clone();
    }
    object
}

fn causes(refused: &Value) -> Vec<String> {
    let causes = refused["details"]["causes"].as_array().unwrap().iter();
    causes.map(|one| format!("{}: {}", one["field"].as_str().unwrap(), one["message"].as_str().unwrap())).collect()
}

#[test]
fn what_they_must_say() {
    let mut yard = Yard::new();
    let table = [
        (
            "deployments",
            "spec.selector",
            json!({"matchLabels": {"a": "b"}}),
            "`selector` does not match template `labels`",
        ),
        ("statefulsets", "spec.selector", json!({}), "empty selector is invalid for statefulset"),
        ("replicasets", "spec.selector", Value::Null, "spec.selector: Required value"),
        ("replicasets", "spec.replicas", json!(-1), "must be greater than or equal to 0"),
        ("deployments", "spec.template.spec.restartPolicy", json!("Never"), "supported values: \"Always\""),
        ("deployments", "spec.template.spec.containers", json!([]), "spec.template.spec.containers: Required value"),
        ("deployments", "spec.strategy.type", json!("Recreate"), ""),
        (
            "deployments",
            "spec.strategy.rollingUpdate",
            json!({"maxSurge": 0, "maxUnavailable": 0}),
            "may not be 0 when `maxSurge` is 0",
        ),
        ("deployments", "spec.strategy.rollingUpdate", json!({"maxSurge": "x"}), "a valid percent string"),
        ("deployments", "spec.progressDeadlineSeconds", json!(0), "must be greater than minReadySeconds"),
        (
            "statefulsets",
            "spec.updateStrategy",
            json!({"type": "RollingUpdate", "rollingUpdate": {"partition": -1}}),
            "partition",
        ),
    ];
    for (number, (resource, path, value, wanted)) in table.into_iter().enumerate() {
        let object = with(workload(&format!("w{number}")), &[(path, value.clone())]);
        let status = if wanted.is_empty() { 201 } else { 422 };
        let answer = yard.ok(status, Post, &apps(resource), object);
        if status == 422 {
            let said = causes(&answer);
            assert!(said.iter().any(|one| one.contains(wanted)), "{resource} {path} {value}: {said:?}");
        }
    }
    let claims = json!([{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}}]);
    let mut set =
        with(workload("disks"), &[("spec.volumeClaimTemplates", claims), ("spec.serviceName", json!("disks"))]);
    set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
    let made = yard.ok(201, Post, &apps("statefulsets"), set);
    assert_eq!(made["spec"]["podManagementPolicy"], "OrderedReady");
    assert_eq!(made["status"], json!({"replicas": 0, "availableReplicas": 0}));
    let both = json!({"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "maxUnavailable": 1}});
    let refused = yard.ok(422, Post, BUDGETS, both);
    assert!(causes(&refused)[0].ends_with("minAvailable and maxUnavailable cannot be both set"), "{refused}");
}

#[test]
fn what_may_not_change() {
    let mut yard = Yard::new();
    for resource in ["deployments", "replicasets", "statefulsets"] {
        yard.post(&apps(resource), workload("w"));
    }
    let other = json!({"spec": {"selector": {"matchLabels": {"app": "w", "x": "y"}},
        "template": {"metadata": {"labels": {"x": "y"}}}}});
    for resource in ["deployments", "replicasets"] {
        let refused = yard.ok(422, Patch, &format!("{}/w", apps(resource)), other.clone());
        assert!(causes(&refused)[0].ends_with(": field is immutable"), "{refused}");
    }
    let path = format!("{}/w", apps("statefulsets"));
    for change in [json!({"serviceName": "other"}), json!({"podManagementPolicy": "Parallel"}), other["spec"].clone()] {
        let refused = yard.ok(422, Patch, &path, json!({"spec": change}));
        assert_eq!(
            causes(&refused),
            ["spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
              'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are \
              forbidden"]
        );
    }
    let free = json!({"spec": {"replicas": 3, "minReadySeconds": 1, "revisionHistoryLimit": 2, "ordinals": {"start": 1},
        "updateStrategy": {"rollingUpdate": {"partition": 1}}, "template": {"metadata": {"annotations": {"a": "b"}}},
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}});
    assert_eq!(yard.ok(200, Patch, &path, free)["metadata"]["generation"], 2);
    let revisions = apps("controllerrevisions");
    yard.post(&revisions, json!({"metadata": {"name": "r"}, "revision": 1, "data": {"a": 1}}));
    yard.ok(200, Patch, &format!("{revisions}/r"), json!({"revision": 2}));
    yard.ok(422, Patch, &format!("{revisions}/r"), json!({"data": {"a": 2}}));
}

#[test]
fn jobs_are_tied_to_their_pods() {
    let mut yard = Yard::new();
    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    let mut job = json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {"restartPolicy": "Never",
        "containers": [{"name": "c", "image": "i"}]}}}});
    let made = yard.post(jobs, job.clone());
    let uid = &made["metadata"]["uid"];
    assert_eq!(made["spec"]["selector"], json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}));
    let labels = json!({"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": "j",
        "controller-uid": uid, "job-name": "j"});
    assert_eq!((&made["spec"]["template"]["metadata"]["labels"], &made["metadata"]["labels"]), (&labels, &labels));
    let path = format!("{jobs}/j");
    for change in [
        json!({"completions": 3}),
        json!({"selector": {"matchLabels": {"job-name": "j"}}}),
        json!({"template": {"spec": {"activeDeadlineSeconds": 5}}}),
    ] {
        let refused = yard.ok(422, Patch, &path, json!({"spec": change}));
        assert!(causes(&refused)[0].ends_with("field is immutable"), "{refused}");
    }
    yard.ok(200, Patch, &path, json!({"spec": {"parallelism": 2, "suspend": true, "backoffLimit": 1}}));
    let moved = json!({"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}});
    yard.ok(200, Patch, &path, moved);
    job["spec"]["template"]["spec"]["restartPolicy"] = json!("Always");
    job["metadata"]["name"] = json!("k");
    let refused = yard.ok(422, Post, jobs, job);
    assert_eq!(
        causes(&refused),
        ["spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""]
    );
}

#[test]
fn scales() {
    let mut yard = Yard::new();
    for resource in ["deployments", "replicasets", "statefulsets"] {
        let made = yard.post(&apps(resource), workload("w"));
        let path = format!("{}/w/scale", apps(resource));
        let scale = yard.get(&path);
        assert_eq!((&scale["kind"], &scale["apiVersion"]), (&json!("Scale"), &json!("autoscaling/v1")));
        assert_eq!(scale["metadata"]["uid"], made["metadata"]["uid"]);
        assert_eq!(
            (&scale["spec"], &scale["status"]),
            (&json!({"replicas": 2}), &json!({"replicas": 0, "selector": "app=w"}))
        );

        let mut wanted = scale.clone();
        wanted["spec"]["replicas"] = json!(5);
        assert_eq!(yard.ok(200, Put, &path, wanted.clone())["spec"]["replicas"], 5);
        assert_eq!(yard.ok(409, Put, &path, wanted.clone())["reason"], "Conflict");
        wanted["metadata"]["resourceVersion"] = json!("");
        wanted["spec"]["replicas"] = json!(-1);
        let refused = yard.ok(422, Put, &path, wanted);
        assert_eq!(causes(&refused), ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]);
        assert_eq!(yard.ok(200, Patch, &path, json!({"spec": {"replicas": 0}}))["spec"]["replicas"], 0);
        let live = yard.get(&format!("{}/w", apps(resource)));
        assert_eq!((&live["spec"]["replicas"], &live["metadata"]["generation"]), (&json!(0), &json!(3)));
        assert_eq!(live["spec"]["template"], made["spec"]["template"]);
        let writers = live["metadata"]["managedFields"].as_array().unwrap();
        assert!(writers.iter().any(|one| one["subresource"] == "scale"), "{writers:?}");
        yard.ok(404, Get, &format!("{}/x/scale", apps(resource)), Value::Null);
    }
}

/// Pods on a node that are ready or not, and a budget in the state its controller would have brought it to.
fn drained(yard: &mut Yard, ready: &[(&str, bool)], allowed: i64) {
    yard.node("n");
    for (name, ready) in ready {
        yard.pod(name);
        yard.ok(200, Patch, &format!("{PODS}/{name}"), json!({"metadata": {"labels": {"app": "web"}}}));
        yard.bind(name, "n");
        let status = json!({"status": {"phase": "Running",
            "conditions": [{"type": "Ready", "status": if *ready { "True" } else { "False" }}]}});
        yard.ok(200, Patch, &format!("{PODS}/{name}/status"), status);
    }
    yard.post(
        BUDGETS,
        json!({"metadata": {"name": "web"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}),
    );
    let status = json!({"status": {"observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": allowed + 1,
        "desiredHealthy": 1, "expectedPods": 2, "conditions": [{"type": "DisruptionAllowed", "status": "True",
            "reason": "SufficientPods", "message": "", "lastTransitionTime": "2026-01-31T11:00:00Z"}]}});
    yard.ok(200, Patch, &format!("{BUDGETS}/web/status"), status);
}

fn eviction(name: &str) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"}})
}

#[test]
fn an_eviction_spends_the_budget() {
    let mut yard = Yard::new();
    drained(&mut yard, &[("a", true), ("b", true)], 1);
    let evict =
        |yard: &mut Yard, status, name: &str| yard.ok(status, Post, &format!("{PODS}/{name}/eviction"), eviction(name));
    yard.ok(400, Post, &format!("{PODS}/a/eviction"), eviction("b"));
    yard.ok(201, Post, &format!("{PODS}/a/eviction?dryRun=All"), eviction("a"));
    assert_eq!(yard.get(&format!("{BUDGETS}/web"))["status"]["disruptionsAllowed"], 1);
    evict(&mut yard, 201, "a");
    let gone = yard.get(&format!("{PODS}/a"));
    assert!(gone["metadata"]["deletionTimestamp"].is_string());
    let why =
        gone["status"]["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "DisruptionTarget").unwrap();
    assert_eq!(why["reason"], "EvictionByEvictionAPI");
    let budget = yard.get(&format!("{BUDGETS}/web"));
    assert_eq!(budget["status"]["disruptionsAllowed"], 0);
    assert_eq!(budget["status"]["disruptedPods"], json!({"a": "2026-01-31T12:00:00Z"}));
    assert_eq!(budget["status"]["conditions"][0]["status"], "False");

    let refused = evict(&mut yard, 429, "b");
    assert_eq!(refused["reason"], "TooManyRequests");
    assert_eq!(refused["message"], "Cannot evict pod as it would violate the pod's disruption budget.");
    assert_eq!(
        refused["details"]["causes"],
        json!([{"reason": "DisruptionBudget", "message": "The disruption budget web needs 1 healthy pods and has 2 currently"}])
    );
    assert!(yard.get(&format!("{PODS}/b"))["metadata"]["deletionTimestamp"].is_null());
    evict(&mut yard, 201, "a"); // it is going already

    yard.ok(200, Patch, &format!("{BUDGETS}/web"), json!({"spec": {"minAvailable": 0}}));
    let unseen = evict(&mut yard, 429, "b");
    assert_eq!(unseen["details"]["retryAfterSeconds"], 10);
    yard.post(BUDGETS, json!({"metadata": {"name": "second"}, "spec": {"minAvailable": 0, "selector": {}}}));
    let several = evict(&mut yard, 500, "b");
    assert!(several["message"].as_str().unwrap().starts_with("This pod has more than one PodDisruptionBudget"));
}

#[test]
fn a_pod_that_is_not_ready_may_go() {
    for (policy, current, status) in [("IfHealthyBudget", 1, 201), ("IfHealthyBudget", 0, 429), ("AlwaysAllow", 0, 201)]
    {
        let mut yard = Yard::new();
        drained(&mut yard, &[("a", false)], 0);
        yard.ok(200, Patch, &format!("{BUDGETS}/web"), json!({"spec": {"unhealthyPodEvictionPolicy": policy}}));
        let seen = json!({"status": {"observedGeneration": 2, "currentHealthy": current}});
        yard.ok(200, Patch, &format!("{BUDGETS}/web/status"), seen);
        yard.ok(status, Post, &format!("{PODS}/a/eviction"), eviction("a"));
    }
}
