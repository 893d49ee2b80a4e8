//! What a set says of itself.

use super::revisions::History;
use super::{Set, identity};
use crate::workload::pods::{Available, available, is_serving};
use crate::workload::set as put;
use emberyard_model::Timestamp;
use emberyard_object::view::Meta;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The status that is due.
pub(super) fn of(set: Set<'_>, history: &History<'_>, pods: &BTreeMap<i64, &Value>, now: Timestamp) -> Value {
    let (update, mut current) = (Meta(history.update).name(), Meta(history.current).name());
    let count =
        |test: &dyn Fn(&Value) -> bool| i64::try_from(pods.values().filter(|pod| test(pod)).count()).unwrap_or(0);
    let of_revision = |name: &str| count(&|pod| !Meta(pod).is_deleting() && identity::revision(pod) == name);
    let (ready, updated) = (count(&is_serving), of_revision(update));
    let mut at_current = of_revision(current);
    let replicas = count(&|_| true);
    let is_available = |pod: &Value| is_serving(pod) && available(pod, set.min_ready_seconds(), now) == Available::Yes;
    let wanted = set.replicas();
    if set.rolls() && [updated, ready, replicas].iter().all(|number| *number == wanted) {
        (current, at_current) = (update, updated);
    }
    let mut status = set.0["status"].clone();
    put(
        &mut status,
        &[
            ("observedGeneration", json!(set.meta().generation())),
            ("readyReplicas", json!(ready)),
            ("currentReplicas", json!(at_current)),
            ("updatedReplicas", json!(updated)),
            ("currentRevision", json!(current)),
            ("updateRevision", json!(update)),
        ],
    );
    status["replicas"] = json!(replicas);
    status["availableReplicas"] = json!(count(&is_available));
    status["collisionCount"] = json!(history.collisions);
    status
}
