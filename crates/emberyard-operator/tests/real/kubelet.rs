//! Plays the nodes of a provider in memory: they join, renew their lease, run what is bound to them, and end what is deleted.

use emberyard_client::{Client, ContentKind};
use emberyard_cloud::{Memory, NodeState, Provider as _};
use emberyard_model::Timestamp;
use emberyard_model::hdfs::HDFS_LABEL;
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static ADDRESS: AtomicU16 = AtomicU16::new(1);

pub async fn play(client: Client, provider: Arc<Memory>) {
    loop {
        for claim in provider.list().await.unwrap_or_default() {
            let name = claim.name.as_str();
            if claim.state == NodeState::Booting {
                join(&client, name).await;
                provider.set_state(&claim.name, NodeState::Running);
            }
            renew(&client, name).await;
        }
        let pods = client.list("/api/v1/pods", &[]).await.map(|(pods, _)| pods).unwrap_or_default();
        for pod in pods.iter().filter(|pod| pod["spec"]["nodeName"].is_string()) {
            run(&client, pod).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn now() -> String {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(passed.as_micros()).unwrap()).rfc3339_micro()
}

async fn join(client: &Client, name: &str) {
    let amounts = json!({"cpu": "4", "memory": "16Gi", "pods": "110"});
    let node = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {
            "capacity": amounts, "allocatable": amounts,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now(), "lastTransitionTime": now()}],
        },
    });
    drop(client.create("/api/v1/nodes", &node).await);
    drop(
        client
            .patch(&format!("/api/v1/nodes/{name}/status"), &json!({"status": node["status"]}), ContentKind::MergePatch)
            .await,
    );
}

async fn renew(client: &Client, name: &str) {
    let all = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
    let spec = json!({"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now()});
    if client.patch(&format!("{all}/{name}"), &json!({"spec": spec}), ContentKind::MergePatch).await.is_err() {
        let lease =
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec});
        drop(client.create(all, &lease).await);
    }
}

async fn run(client: &Client, pod: &Value) {
    let meta = &pod["metadata"];
    let path =
        format!("/api/v1/namespaces/{}/pods/{}", meta["namespace"].as_str().unwrap(), meta["name"].as_str().unwrap());
    if meta["deletionTimestamp"].is_string() {
        let now = json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0});
        drop(client.request(Method::DELETE, &path, &[], Some(&now), ContentKind::Json).await);
    } else if pod["status"]["phase"] == "Pending" {
        let ready = json!([{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}]);
        // NameNodes tell DataNodes apart by their addresses.
        let address = if meta["labels"][HDFS_LABEL].is_string() {
            let [high, low] = ADDRESS.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            format!("10.42.{high}.{low}")
        } else {
            "127.0.0.1".to_owned()
        };
        let status = json!({"status": {"phase": "Running", "podIP": address, "conditions": ready}});
        drop(client.patch(&format!("{path}/status"), &status, ContentKind::MergePatch).await);
    }
}
