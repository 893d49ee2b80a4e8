//! Who must go when the machine runs out of memory or disk, and who has filled more disk than was agreed.
//!
//! Rule source: Kubernetes' node-pressure eviction: first those that use more than they asked for, then by class, then
//! by how much they use above it.

use crate::spec::{Pod, VolumeKind};
use crate::status::Qos;
use std::collections::BTreeMap;

/// What a pod uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The pod.
    pub uid: String,
    /// Its class.
    pub qos: Qos,
    /// Memory it asked for, bytes.
    pub requested: u64,
    /// Memory it uses, bytes.
    pub used: u64,
}

/// Below this much free memory (bytes) a pod must go: 3 % of the machine, at least 100 MiB (a kubelet's threshold),
/// at most 512 MiB.
pub const fn threshold(total: u64) -> u64 {
    let share = total / 100 * 3;
    let least = 100 << 20;
    let most = 512 << 20;
    if share < least {
        least
    } else if share > most {
        most
    } else {
        share
    }
}

/// The pod that goes first.
pub fn choose(pods: &[Usage]) -> Option<&Usage> {
    pods.iter().max_by_key(|p| {
        let over = p.used.saturating_sub(p.requested);
        (p.used > p.requested, std::cmp::Reverse(p.qos), over, p.used, std::cmp::Reverse(p.uid.as_str()))
    })
}

/// What the pod's status says, as a kubelet puts it.
pub fn message(pod: &Usage, available: u64, threshold: u64) -> String {
    let mib = |bytes: u64| format!("{}Mi", bytes >> 20);
    format!(
        "The node was low on resource: memory. Threshold quantity: {}, available: {}. The pod was using {}, request is {}.",
        mib(threshold),
        mib(available),
        mib(pod.used),
        mib(pod.requested)
    )
}

/// What a pod has on disk, bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Each of its emptyDir volumes.
    pub volumes: BTreeMap<String, u64>,
    /// Each of its containers: what it wrote beside volumes, and its log.
    pub containers: BTreeMap<String, u64>,
}

impl DiskUse {
    /// All together.
    pub fn total(&self) -> u64 {
        self.volumes.values().chain(self.containers.values()).sum()
    }
}

/// Whether anything of the pod's disk is limited.
pub fn limits_disk(pod: &Pod) -> bool {
    pod.all_containers().any(|c| c.resources.limits.contains_key(STORAGE))
        || pod.spec.volumes.iter().any(|v| matches!(v.kind, VolumeKind::EmptyDir { size_limit: Some(_), .. }))
}

/// Why a pod must go that has filled more disk than it may, in a kubelet's words.
pub fn over_disk(pod: &Pod, used: &DiskUse) -> Option<String> {
    for volume in &pod.spec.volumes {
        if let VolumeKind::EmptyDir { size_limit: Some(limit), .. } = volume.kind
            && used.volumes.get(&volume.name).is_some_and(|used| *used > limit.units().unsigned_abs())
        {
            return Some(format!("Usage of EmptyDir volume \"{}\" exceeds the limit \"{limit}\".", volume.name));
        }
    }
    let mut all = Some(0_u64);
    for container in &pod.spec.containers {
        let Some(limit) = container.resources.limits.get(STORAGE) else {
            all = None;
            continue;
        };
        let bytes = limit.units().unsigned_abs();
        if used.containers.get(&container.name).is_some_and(|used| *used > bytes) {
            let name = &container.name;
            return Some(format!("Container {name} exceeded its local ephemeral storage limit \"{limit}\"."));
        }
        all = all.map(|all| all + bytes);
    }
    all.filter(|all| used.total() > *all)
        .map(|all| format!("Pod ephemeral local storage usage exceeds the total limit of containers {}Mi.", all >> 20))
}

/// Below this much free disk (bytes) a pod must go: 5 % of it, at most 1 GiB. State and logs of the yard need the rest.
pub const fn disk_threshold(total: u64) -> u64 {
    let (share, most) = (total / 20, 1 << 30);
    if share < most { share } else { most }
}

/// A pod that has less than this on disk (bytes) is not what fills it.
pub const LEAST_ON_DISK: u64 = 64 << 20;

/// What the pod's status says when the disk is full.
pub fn disk_message(used: u64, available: u64, threshold: u64) -> String {
    let mib = |bytes: u64| format!("{}Mi", bytes >> 20);
    format!(
        "The node was low on resource: ephemeral-storage. Threshold quantity: {}, available: {}. The pod was using {}.",
        mib(threshold),
        mib(available),
        mib(used)
    )
}

const STORAGE: &str = "ephemeral-storage";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn more_disk_than_agreed() {
        let pod = |limit: serde_json::Value, volume: serde_json::Value| {
            let pod = json!({"metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": {
                "containers": [{"name": "a", "image": "i", "resources": {"limits": limit}}],
                "volumes": [{"name": "work", "emptyDir": volume}]}});
            Pod::read(&pod).unwrap()
        };
        let used = |volume, container| DiskUse {
            volumes: BTreeMap::from([("work".to_owned(), volume)]),
            containers: BTreeMap::from([("a".to_owned(), container)]),
        };
        let free = pod(json!({}), json!({}));
        assert!(!limits_disk(&free) && over_disk(&free, &used(u64::MAX / 4, 5)).is_none());
        let volume = pod(json!({}), json!({"sizeLimit": "1Mi"}));
        assert!(limits_disk(&volume));
        assert_eq!(over_disk(&volume, &used(1 << 20, 9 << 20)), None);
        let text = over_disk(&volume, &used((1 << 20) + 1, 0)).unwrap();
        assert_eq!(text, "Usage of EmptyDir volume \"work\" exceeds the limit \"1Mi\".");
        let both = pod(json!({"ephemeral-storage": "2Mi"}), json!({}));
        assert!(over_disk(&both, &used(0, 3 << 20)).unwrap().starts_with("Container a exceeded"));
        let text = over_disk(&both, &used(1 << 20, (1 << 20) + 1)).unwrap();
        assert!(text.ends_with("total limit of containers 2Mi."), "{text}");
        assert_eq!((disk_threshold(100 << 20), disk_threshold(1 << 40)), (5 << 20, 1 << 30));
    }

    fn usage(uid: &str, qos: Qos, requested: u64, used: u64) -> Usage {
        Usage { uid: uid.into(), qos, requested, used }
    }

    #[test]
    fn the_greedy_go_first() {
        let modest = usage("modest", Qos::Burstable, 1000, 900);
        let greedy = usage("greedy", Qos::Burstable, 100, 200);
        let greedier = usage("greedier", Qos::Burstable, 100, 300);
        let best = usage("best", Qos::BestEffort, 0, 10);
        let safe = usage("safe", Qos::Guaranteed, 5000, 5000);
        let first = |pods: &[&Usage]| {
            let pods: Vec<Usage> = pods.iter().map(|p| (*p).clone()).collect();
            choose(&pods).map(|p| p.uid.clone())
        };
        assert_eq!(first(&[]), None);
        assert_eq!(first(&[&modest, &greedy]).as_deref(), Some("greedy"));
        assert_eq!(first(&[&greedy, &greedier]).as_deref(), Some("greedier"));
        assert_eq!(first(&[&greedy, &greedier, &best]).as_deref(), Some("best"));
        assert_eq!(first(&[&modest, &safe]).as_deref(), Some("modest"));
    }

    #[test]
    fn thresholds() {
        assert_eq!(threshold(1 << 30), 100 << 20);
        assert_eq!(threshold(10 << 30) >> 20, 307);
        assert_eq!(threshold(1 << 40), 512 << 20);
    }
}
