//! All controllers and the scheduler beside the served API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use emberyard_control::{Settings, all};
use serde_json::{Value, json};
use std::time::Duration;
use support::{CONFIG_MAPS, Client, PODS, Served, config_map, now, pod};
use tokio::time::{sleep, timeout};

const SOON: Duration = Duration::from_secs(30);

async fn served() -> Served {
    let settings = Settings {
        ca_pem: "-----BEGIN CERTIFICATE-----".to_owned(),
        volumes_dir: "/volumes".to_owned(),
        catalog: emberyard_object::Catalog::builtin(),
    };
    Served::with(|config| config.controllers = all(&settings)).await
}

/// Asks until the answer is as wanted.
async fn until(client: &mut Client, path: &str, what: &str, wanted: impl Fn(u16, &Value) -> bool) -> Value {
    let mut last = Value::Null;
    let asking = async {
        loop {
            let (status, body) = client.get(path).await;
            if wanted(status, &body) {
                return body;
            }
            last = body;
            sleep(Duration::from_millis(20)).await;
        }
    };
    let Ok(body) = timeout(SOON, asking).await else { panic!("{what}: {last}") };
    body
}

async fn node(admin: &mut Client, name: &str) {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
    let (status, body) = admin.post("/api/v1/nodes", &node).await;
    assert_eq!(status, 201, "{body}");
    let amounts = json!({"cpu": "4", "memory": "8Gi", "pods": "110"});
    let at = now().rfc3339();
    let patch = json!({"status": {"capacity": amounts, "allocatable": amounts,
        "addresses": [{"type": "InternalIP", "address": "10.41.0.11"}],
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "",
            "lastHeartbeatTime": at, "lastTransitionTime": at}]}});
    let (status, body) = admin.json("PATCH", &format!("/api/v1/nodes/{name}/status"), Some(&patch)).await;
    assert_eq!(status, 200, "{body}");
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 300, "renewTime": now().rfc3339_micro()}});
    let (status, body) = admin.post("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", &lease).await;
    assert_eq!(status, 201, "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cluster_lives() {
    let served = served().await;
    let mut admin = served.admin().await;
    let account = "/api/v1/namespaces/default/serviceaccounts/default";
    until(&mut admin, account, "default service account", |status, _| status == 200).await;
    let root =
        until(&mut admin, &format!("{CONFIG_MAPS}/kube-root-ca.crt"), "root CA", |status, _| status == 200).await;
    assert_eq!(root["data"]["ca.crt"], "-----BEGIN CERTIFICATE-----");

    // Pending without a node, with a reason; placed when there is one.
    assert_eq!(admin.post(PODS, &pod("worker")).await.0, 201);
    let worker = format!("{PODS}/worker");
    until(&mut admin, &worker, "a reason to wait", |_, pod| {
        pod["status"]["conditions"].as_array().is_some_and(|c| c.iter().any(|c| c["reason"] == "Unschedulable"))
    })
    .await;
    node(&mut admin, "node-1").await;
    let placed = until(&mut admin, &worker, "a node", |_, pod| pod["spec"]["nodeName"] == "node-1").await;

    // What belongs to the pod goes with it.
    let mut owned = config_map("owned", "1");
    owned["metadata"]["ownerReferences"] = json!([{"apiVersion": "v1", "kind": "Pod", "name": "worker",
        "uid": placed["metadata"]["uid"]}]);
    assert_eq!(admin.post(CONFIG_MAPS, &owned).await.0, 201);
    let now_gone = json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0});
    assert_eq!(admin.json("DELETE", &worker, Some(&now_gone)).await.0, 200);
    until(&mut admin, &format!("{CONFIG_MAPS}/owned"), "collected", |status, _| status == 404).await;

    // A namespace goes with all that is in it.
    let other = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}});
    assert_eq!(admin.post("/api/v1/namespaces", &other).await.0, 201);
    until(&mut admin, "/api/v1/namespaces/other/serviceaccounts/default", "its account", |s, _| s == 200).await;
    assert_eq!(admin.post("/api/v1/namespaces/other/configmaps", &config_map("inside", "1")).await.0, 201);
    assert_eq!(admin.json("DELETE", "/api/v1/namespaces/other", None).await.0, 200);
    until(&mut admin, "/api/v1/namespaces/other", "the namespace's end", |status, _| status == 404).await;
    timeout(SOON, served.stop()).await.unwrap().unwrap();
}
