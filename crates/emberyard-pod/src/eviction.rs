//! Who must go when the machine runs out of memory.
//!
//! Rule source: Kubernetes' node-pressure eviction: first those that use more than they asked for, then by class, then
//! by how much they use above it.

use crate::status::Qos;

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

#[cfg(test)]
mod tests {
    use super::*;

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
