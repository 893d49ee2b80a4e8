//! Looks at what pods have on disk: ends those that have more than they may, and, before the disk is full, the one that
//! has most.

use super::Node;
use super::pod::Message;
use crate::kubelet::PodView;
use emberyard_pod::eviction::{self, DiskUse, LEAST_ON_DISK};
use emberyard_pod::observed::Ended;
use emberyard_pod::{Event, Pod};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LOOK: Duration = Duration::from_secs(5);
/// After an eviction disk needs a moment to come back.
const REST: Duration = Duration::from_secs(10);
/// Agents of one machine see the same disk: each waits this times its number before it acts, so that one acts.
const TURN: Duration = Duration::from_millis(300);

/// Runs for ever.
pub(super) async fn keep(node: Arc<Node>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let looking = node.clone();
        let over = tokio::task::spawn_blocking(move || over_their_limits(&looking)).await.unwrap_or_default();
        for (uid, message) in over {
            node.registry.tell(&uid, Message::End(Ended::evicted(message)));
        }
        if shortage(&node.config.dir).is_none() {
            continue;
        }
        tokio::time::sleep(TURN * u32::from(node.config.number.get() % 16)).await;
        let Some((available, threshold)) = shortage(&node.config.dir) else { continue };
        let looking = node.clone();
        let largest = tokio::task::spawn_blocking(move || largest(&looking)).await.unwrap_or_default();
        let Some((uid, used)) = largest.filter(|(_, used)| *used >= LEAST_ON_DISK) else { continue };
        let message = eviction::disk_message(used, available, threshold);
        let event = Event::warning("EvictionThresholdMet", "Attempting to reclaim ephemeral-storage".into());
        node.events.node(node.name(), event);
        node.registry.tell(&uid, Message::End(Ended::evicted(message)));
        tokio::time::sleep(REST).await;
    }
}

fn over_their_limits(node: &Node) -> Vec<(String, String)> {
    let limited = |view: PodView| {
        let pod = Pod::read(&view.object).ok().filter(eviction::limits_disk)?;
        let message = eviction::over_disk(&pod, &used(&view, &pod))?;
        Some((view.uid, message))
    };
    node.registry.all().into_iter().filter_map(limited).collect()
}

fn largest(node: &Node) -> Option<(String, u64)> {
    let views = node.registry.all().into_iter();
    let each = views.filter_map(|view| Pod::read(&view.object).ok().map(|pod| (used(&view, &pod).total(), view.uid)));
    each.max().map(|(used, uid)| (uid, used))
}

/// Free disk and the threshold, if it is below.
fn shortage(dir: &Path) -> Option<(u64, u64)> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    let (available, threshold) =
        (stat.f_bavail * stat.f_frsize, eviction::disk_threshold(stat.f_blocks * stat.f_frsize));
    (available < threshold).then_some((available, threshold))
}

fn used(view: &PodView, pod: &Pod) -> DiskUse {
    let mut found = DiskUse::default();
    for volume in &pod.spec.volumes {
        if matches!(volume.kind, emberyard_pod::spec::VolumeKind::EmptyDir { .. }) {
            found.volumes.insert(volume.name.clone(), size(&view.dir.join("volumes").join(&volume.name)));
        }
    }
    for entry in std::fs::read_dir(view.dir.join("scratch")).into_iter().flatten().flatten() {
        // `NAME.ATTEMPT`
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some((container, _)) = name.rsplit_once('.') {
            *found.containers.entry(container.to_owned()).or_default() += size(&entry.path());
        }
    }
    for container in pod.all_containers() {
        let log = size(&view.dir.join("logs").join(&container.name));
        *found.containers.entry(container.name.clone()).or_default() += log;
    }
    found
}

/// What a folder and all below it take on disk, bytes; what can't be read counts for nothing.
fn size(path: &Path) -> u64 {
    let Ok(meta) = path.symlink_metadata() else { return 0 };
    let own = meta.blocks() * 512;
    if !meta.is_dir() {
        return own;
    }
    own + std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| size(&entry.path())).sum::<u64>()
}
