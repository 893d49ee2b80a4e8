//! Pods that take more than they may: memory, disk. With control groups the kernel ends the first, without them the agent.

use crate::scenes::{World, pod_path};
use emberyard_pod::oom::MemoryFigures;
use serde_json::json;

/// Grows by a megabyte at a time, in a process below the main one.
const GROWS: &str = "echo mine > /dev/termination-log; \
    while head -c 1000000 /dev/zero; do sleep 0.03; done | exec tail";

pub async fn greedy(world: &World) {
    let limit = |name: &str, size: &str| json!({"containers": [{"resources": {"limits": {name: size}}}]});
    world.pod("modest", "exec sleep 1000", limit("memory", "64Mi")).await;
    world.pod("eats", GROWS, limit("memory", "64Mi")).await;
    let fills = "head -c 5000000 /dev/zero > /full/x; exec sleep 1000";
    let volume = json!({"containers": [{"volumeMounts": [{"name": "full", "mountPath": "/full"}]}],
        "volumes": [{"name": "full", "emptyDir": {"sizeLimit": "2Mi"}}]});
    world.pod("fills", fills, volume).await;
    let fills = "head -c 5000000 /dev/zero > /tmp/x; exec sleep 1000";
    // Root, as nobody else may write beside volumes in this image.
    let mut writes = limit("ephemeral-storage", "3Mi");
    writes["containers"][0]["securityContext"] = json!({"runAsUser": 0});
    world.pod("writes", fills, writes).await;

    let status = world.phase("eats", "Failed").await;
    let ended = &status["containerStatuses"][0]["state"]["terminated"];
    assert_eq!((ended["reason"].as_str(), ended["exitCode"].as_i64()), (Some("OOMKilled"), Some(137)), "{ended}");
    let message = ended["message"].as_str().unwrap();
    let figures = MemoryFigures::parse(message).unwrap_or_else(|| panic!("{message}"));
    assert_eq!(figures.limit, 64 << 20);
    // A group's peak is its limit at most; processes are ended above it.
    assert!(figures.used >= 63 << 20, "{message}");
    assert!(message.ends_with("\nmine\n"), "its own words: {message}");
    world
        .until("an event", "/api/v1/namespaces/default/events", |list| {
            let events = list["items"].as_array().unwrap();
            events.iter().any(|e| e["reason"] == "OOMKilled" && e["involvedObject"]["name"] == "eats")
        })
        .await;

    let status = world.phase("fills", "Failed").await;
    assert_eq!(status["reason"], "Evicted");
    assert_eq!(status["message"], "Usage of EmptyDir volume \"full\" exceeds the limit \"2Mi\".");
    let status = world.phase("writes", "Failed").await;
    assert_eq!(status["message"], "Container a exceeded its local ephemeral storage limit \"3Mi\".");
    let status = world.phase("modest", "Running").await;
    assert_eq!(status["containerStatuses"][0]["restartCount"], 0);
    for name in ["modest", "eats", "fills", "writes"] {
        world.client.delete(&format!("{}?gracePeriodSeconds=0", pod_path(name))).await.unwrap();
    }
}
