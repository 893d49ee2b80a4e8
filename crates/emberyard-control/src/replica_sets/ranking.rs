//! Which pods are missed least.

use crate::workload::pods::restarts;
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, PodView, text};
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeMap;

const COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// Pods in the order of Kubernetes: unbound, pending, unready, cheap, crowded, ready for the shortest time, often
/// restarted, young.
pub(crate) fn first_to_go<'a>(pods: &[&'a Value], count: usize) -> Vec<&'a Value> {
    let mut crowd: BTreeMap<&str, usize> = BTreeMap::new();
    for pod in pods {
        *crowd.entry(PodView(pod).node_name()).or_default() += 1;
    }
    let mut ranked = pods.to_vec();
    ranked.sort_by_cached_key(|pod| {
        let view = PodView(pod);
        let stage = match view.phase() {
            "Running" => 2,
            "Unknown" => 1,
            _ => 0,
        };
        let cost: i64 = Meta(pod).annotation(COST).and_then(|text| text.parse().ok()).unwrap_or(0);
        let ready = view.condition("Ready").filter(|_| view.is_ready());
        let since = ready.and_then(|ready| Timestamp::parse(text(ready, &["lastTransitionTime"])).ok());
        (
            (!view.node_name().is_empty(), stage, view.is_ready(), cost),
            Reverse(crowd.get(view.node_name()).copied().unwrap_or(0)),
            (Reverse(since), Reverse(restarts(pod)), Reverse(Meta(pod).created())),
            Meta(pod).name().to_owned(),
        )
    });
    ranked.truncate(count);
    ranked
}
