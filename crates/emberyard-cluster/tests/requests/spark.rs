//! The requests of a Spark driver, in its order, with its service account's rights.

use crate::yard::Yard;
use emberyard_cluster::Method::{Delete, Patch, Post};
use emberyard_cluster::User;
use serde_json::{Value, json};

const NAMESPACE: &str = "/api/v1/namespaces/default";
const EXECUTORS: &str =
    "labelSelector=spark-app-selector%3Dspark-1%2Cspark-role%3Dexecutor%2Cspark-exec-inactive!%3Dtrue";

/// An executor as PySpark 4.3 asks for it.
fn executor(id: u8) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("app-exec-{id}"), "labels": {"spark-app-selector": "spark-1",
            "spark-role": "executor", "spark-exec-id": id.to_string(), "spark-exec-resourceprofile-id": "0"}},
        "spec": {"restartPolicy": "Never", "hostname": format!("app-exec-{id}"), "terminationGracePeriodSeconds": 30,
            "containers": [{"name": "spark-kubernetes-executor", "image": "spark-py", "args": ["executor"],
                "imagePullPolicy": "IfNotPresent", "ports": [{"name": "blockmanager", "containerPort": 7079}],
                "env": [{"name": "SPARK_EXECUTOR_POD_IP",
                    "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}],
                "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}],
                "resources": {"limits": {"memory": "1408Mi"}, "requests": {"memory": "1408Mi", "cpu": "1"}},
                "securityContext": {"allowPrivilegeEscalation": false},
                "volumeMounts": [{"name": "conf", "mountPath": "/opt/spark/conf"}, {"name": "local", "mountPath": "/var/data"}]}],
            "volumes": [{"name": "conf", "configMap": {"name": "app-conf", "items": [
                {"key": "log4j2.properties", "path": "log4j2.properties", "mode": 420}]}}, {"name": "local", "emptyDir": {}}]}})
}

fn driver(yard: &mut Yard) -> User {
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    let verbs = ["create", "get", "list", "watch", "patch", "delete", "deletecollection"];
    let rules = json!([{"apiGroups": [""], "verbs": verbs, "resources": ["pods", "configmaps", "services", "persistentvolumeclaims"]}]);
    yard.post(&format!("{rbac}/roles"), json!({"metadata": {"name": "spark"}, "rules": rules}));
    yard.post(
        &format!("{rbac}/rolebindings"),
        json!({"metadata": {"name": "spark"}, "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "spark"}}),
    );
    User::service_account("default", "default")
}

#[test]
fn a_session_comes_and_goes() {
    let mut yard = Yard::new();
    yard.user = driver(&mut yard);
    yard.post(
        &format!("{NAMESPACE}/configmaps"),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "immutable": true, "data": {"log4j2.properties": ""},
            "metadata": {"name": "app-conf", "labels": {"spark-app-selector": "spark-1", "spark-role": "executor"}}}),
    );
    let mut watch = yard.watch(&format!("{NAMESPACE}/pods?allowWatchBookmarks=true&{EXECUTORS}&watch=true"));
    assert!(yard.poll(&mut watch).is_empty());
    for id in 1..=2 {
        let request = yard.request(Post, &format!("{NAMESPACE}/pods"), &executor(id));
        let answer = yard.answer(&request);
        assert_eq!((answer.status, answer.headers), (201, Vec::new()), "stored without a warning");
        let pod: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(pod["status"], json!({"phase": "Pending", "qosClass": "Burstable"}));
    }
    assert_eq!(yard.poll(&mut watch).len(), 2);
    let running = json!({"status": {"phase": "Running", "podIP": "10.42.1.2", "podIPs": [{"ip": "10.42.1.2"}]}});
    let user = std::mem::replace(&mut yard.user, crate::yard::admin());
    yard.ok(200, Patch, &format!("{NAMESPACE}/pods/app-exec-1/status"), running);
    yard.user = user;
    let list = yard.get(&format!("{NAMESPACE}/pods?fieldSelector=status.phase%3DRunning&{EXECUTORS}"));
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let by_id = yard.get(&format!("{NAMESPACE}/pods?labelSelector=spark-exec-id in (1)"));
    assert_eq!(by_id["items"][0]["status"]["podIP"], "10.42.1.2");
    let (status, _) = yard.patch(
        "application/strategic-merge-patch+json",
        &format!("{NAMESPACE}/pods/app-exec-1"),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"spark-decom": "yes"}}}),
    );
    assert_eq!(status, 200);
    let told = yard.poll(&mut watch);
    assert!(told.iter().all(|event| event.starts_with("MODIFIED app-exec-1@")) && told.len() == 2, "{told:?}");

    let background = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
    for resource in ["services", "persistentvolumeclaims", "pods", "configmaps"] {
        let path = format!("{NAMESPACE}/{resource}?labelSelector=spark-app-selector%3Dspark-1");
        yard.ok(200, Delete, &path, background.clone());
    }
    assert_eq!(yard.poll(&mut watch).iter().filter(|event| event.starts_with("DELETED")).count(), 2);
    assert_eq!(yard.get(&format!("{NAMESPACE}/configmaps"))["items"], json!([]));
}

#[test]
fn a_lost_watch_resumes() {
    let mut yard = Yard::new();
    yard.user = driver(&mut yard);
    yard.post(&format!("{NAMESPACE}/pods"), executor(1));
    let mut watch = yard.watch(&format!("{NAMESPACE}/pods?{EXECUTORS}&watch=true"));
    let seen = yard.poll(&mut watch).pop().unwrap();
    let revision = seen.split('@').nth(1).unwrap();
    yard.post(&format!("{NAMESPACE}/pods"), executor(2));
    yard.ok(200, Delete, &format!("{NAMESPACE}/pods/app-exec-1"), Value::Null);
    let mut again = yard.watch(&format!("{NAMESPACE}/pods?{EXECUTORS}&resourceVersion={revision}&watch=true"));
    let told = yard.poll(&mut again);
    assert!(told[0].starts_with("ADDED app-exec-2@") && told[1].starts_with("DELETED app-exec-1@"), "{told:?}");
}
