//! The node's own object: registration, condition, lease.

use super::jump::Clocks;
use super::pod::Message;
use super::{Node, images};
use crate::net::address::KUBELET_PORT;
use emberyard_client::{ApiError, ContentKind};
use emberyard_model::{Resources, Timestamp};
use emberyard_pod::Event;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The lease's life span, seconds: a node counts as lost after it.
const LEASE_SECONDS: u64 = 5;
const RENEW: Duration = Duration::from_millis(1500);
/// Renewals between two looks at the node's own object.
const CHECK_EVERY: u32 = 2;
/// Renewals between two status reports without a reason.
const REPORT_EVERY: u32 = 40;
const KUBELET_VERSION: &str = "v1.35.4+emberyard";

/// Registers, then renews for ever.
pub(super) async fn keep(node: Arc<Node>) {
    let own = format!("/api/v1/nodes/{}", node.name());
    let since = node.now();
    while let Err(error) = register(&node, &own, since).await {
        tracing::info!(%error, "not registered yet");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    node.events.node(node.name(), Event::normal("Starting", "Starting the node's agent".into()));
    let mut ticks = tokio::time::interval(RENEW);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut clocks = Clocks::new(node.now(), Instant::now());
    for count in 0_u32.. {
        ticks.tick().await;
        if clocks.jumped(node.now(), Instant::now()) {
            tracing::info!("the clock has jumped: tokens of pods are looked at");
            node.registry.all().iter().for_each(|pod| node.registry.tell(&pod.uid, Message::Stale));
        }
        if let Err(error) = renew(&node).await {
            tracing::debug!(%error, "lease not renewed");
            continue;
        }
        // The node controller may have called the node lost while the agent or the server was away.
        let lost = count.is_multiple_of(CHECK_EVERY) && !says_ready(&node, &own).await;
        if (lost || count % REPORT_EVERY == REPORT_EVERY - 1)
            && let Err(error) = report(&node, &own, if lost { node.now() } else { since }).await
        {
            tracing::debug!(%error, "node status not written");
        }
    }
}

async fn says_ready(node: &Node, own: &str) -> bool {
    match node.client.get(own, &[]).await {
        Ok(object) => {
            let conditions = object["status"]["conditions"].as_array();
            conditions.is_some_and(|l| l.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
        }
        // Not there: it was removed on purpose; nothing to report to.
        Err(_) => true,
    }
}

async fn register(node: &Node, own: &str, since: Timestamp) -> Result<(), ApiError> {
    let mut labels = node.config.labels.clone();
    for (key, value) in
        [("kubernetes.io/hostname", node.name()), ("kubernetes.io/os", "linux"), ("kubernetes.io/arch", arch())]
    {
        labels.insert(key.to_owned(), value.to_owned());
    }
    let cidr = node.config.number.pod_cidr();
    let object = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": node.name(), "labels": labels, "annotations": node.config.annotations},
        "spec": {"podCIDR": cidr, "podCIDRs": [cidr]},
        "status": status(node, since),
    });
    match node.client.create("/api/v1/nodes", &object).await {
        Ok(_) => {}
        Err(error) if error.is_already_exists() => {
            let patch = json!({"metadata": {"labels": labels, "annotations": node.config.annotations}});
            node.client.patch(own, &patch, ContentKind::StrategicMergePatch).await?;
        }
        Err(error) => return Err(error),
    }
    renew(node).await?;
    report(node, own, since).await
}

async fn report(node: &Node, own: &str, since: Timestamp) -> Result<(), ApiError> {
    let path = format!("{own}/status");
    node.client.patch(&path, &json!({"status": status(node, since)}), ContentKind::StrategicMergePatch).await.map(drop)
}

async fn renew(node: &Node) -> Result<(), ApiError> {
    let collection = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
    let own = format!("{collection}/{}", node.name());
    let now = node.now().rfc3339_micro();
    let patch =
        json!({"spec": {"renewTime": now, "holderIdentity": node.name(), "leaseDurationSeconds": LEASE_SECONDS}});
    match node.client.patch(&own, &patch, ContentKind::MergePatch).await {
        Err(error) if error.is_not_found() => {
            let mut lease = patch;
            lease["apiVersion"] = json!("coordination.k8s.io/v1");
            lease["kind"] = json!("Lease");
            lease["metadata"] = json!({"name": node.name(), "namespace": "kube-node-lease"});
            node.client.create(collection, &lease).await.map(drop)
        }
        other => other.map(drop),
    }
}

fn amounts(resources: &Resources) -> Value {
    json!({
        "cpu": resources.cpu.to_string(), "memory": resources.memory.to_string(),
        "pods": resources.pods.to_string(), "ephemeral-storage": "100Gi",
    })
}

fn status(node: &Node, since: Timestamp) -> Value {
    let since = since.rfc3339();
    let now = node.now().rfc3339();
    let condition = |kind: &str, holds: bool, reason: &str, message: &str| {
        json!({"type": kind, "status": if holds { "True" } else { "False" }, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": since})
    };
    let capacity = amounts(&node.config.capacity);
    json!({
        "capacity": capacity, "allocatable": capacity,
        "conditions": [
            condition("Ready", true, "KubeletReady", "the agent is posting ready status"),
            condition("MemoryPressure", false, "KubeletHasSufficientMemory", "there is memory"),
            condition("DiskPressure", false, "KubeletHasNoDiskPressure", "there is disk space"),
            condition("PIDPressure", false, "KubeletHasSufficientPID", "there are process ids"),
        ],
        "addresses": [
            {"type": "InternalIP", "address": node.config.number.node_ip().to_string()},
            {"type": "Hostname", "address": node.name()},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
        "nodeInfo": info(node),
        "declaredFeatures": ["ExtendWebSocketsToKubelet"],
        "images": images::list(&node.store),
    })
}

fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The ten texts that clients insist on. The machine's own ids stay the machine's: the node's are its name.
fn info(node: &Node) -> Value {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    json!({
        "machineID": node.name(), "systemUUID": node.name(), "bootID": boot.trim(),
        "kernelVersion": kernel.trim(), "osImage": "Emberyard",
        "containerRuntimeVersion": concat!("emberyard://", env!("CARGO_PKG_VERSION")),
        "kubeletVersion": KUBELET_VERSION, "kubeProxyVersion": KUBELET_VERSION,
        "operatingSystem": "linux", "architecture": arch(),
    })
}
