//! Watches the machine's real memory and ends pods by class before the machine swaps or kills at random.

use super::Node;
use super::pod::Message;
use emberyard_pod::eviction::{self, Usage};
use emberyard_pod::observed::Ended;
use emberyard_pod::status::qos;
use emberyard_pod::{Event, Pod};
use emberyard_sandbox::{ContainerState, Memory};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LOOK: Duration = Duration::from_secs(1);
/// After an eviction memory needs a moment to come back.
const REST: Duration = Duration::from_secs(10);
/// Agents of one machine see the same shortage: they look again after this times their number before they act, so
/// that one acts.
const TURN: Duration = Duration::from_millis(200);

/// Runs for ever.
pub(super) async fn keep(node: Arc<Node>) {
    loop {
        tokio::time::sleep(LOOK).await;
        if shortage().is_none() {
            continue;
        }
        tokio::time::sleep(TURN * u32::from(node.config.number.get() % 16)).await;
        let Some((available, threshold)) = shortage() else { continue };
        let for_usage = node.clone();
        let usages = tokio::task::spawn_blocking(move || usages(&for_usage)).await.unwrap_or_default();
        let Some(chosen) = eviction::choose(&usages) else { continue };
        let message = eviction::message(chosen, available, threshold);
        node.events.node(node.name(), Event::warning("EvictionThresholdMet", "Attempting to reclaim memory".into()));
        node.registry.tell(&chosen.uid, Message::End(Ended::evicted(message)));
        tokio::time::sleep(REST).await;
    }
}

/// Free memory and the threshold, if it is below.
fn shortage() -> Option<(u64, u64)> {
    let Memory { available, total } = Memory::now()?;
    let threshold = eviction::threshold(total);
    (available < threshold).then_some((available, threshold))
}

fn usages(node: &Node) -> Vec<Usage> {
    let mut list = Vec::new();
    for view in node.registry.all() {
        let (Some(sandbox), Ok(pod)) = (&view.sandbox, Pod::read(&view.object)) else { continue };
        let states = sandbox.list().unwrap_or_default();
        let used = if states.iter().any(|s| s.memory_cgroup.is_some()) {
            states.iter().filter(|s| s.ended.is_none()).filter_map(used).sum()
        } else {
            // All its processes: what Python uses is not in the main one.
            sandbox.usage().map_or(0, |usage| usage.memory)
        };
        let asked = pod.spec.containers.iter().filter_map(|c| c.resources.requests.get("memory"));
        let requested = asked.map(|q| q.units().unsigned_abs()).sum();
        list.push(Usage { uid: view.uid, qos: qos(&pod), requested, used });
    }
    list
}

/// By the control group, else by the main process.
pub(crate) fn used(state: &ContainerState) -> Option<u64> {
    let number = |path: &Path| std::fs::read_to_string(path).ok()?.trim().parse().ok();
    let group = state.memory_cgroup.as_deref();
    // Version 2's file, else version 1's.
    let of_group =
        group.and_then(|g| ["memory.current", "memory.usage_in_bytes"].into_iter().find_map(|f| number(&g.join(f))));
    of_group.or_else(|| {
        let text = std::fs::read_to_string(format!("/proc/{}/status", state.process.pid)).ok()?;
        let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    })
}
