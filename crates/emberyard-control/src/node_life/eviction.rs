//! Pods leave nodes whose `NoExecute` taints they do not stand, or not so long.

use crate::index::Id;
use crate::reconcile::Work;
use crate::resources;
use emberyard_model::Timestamp;
use emberyard_model::fit::{Effect, Taint, Toleration, tolerations};
use emberyard_object::view::{Meta, PodView, list};
use emberyard_object::{ApiRequest, DeleteOptions};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// A pod that says nothing of these taints stands them this long, as Kubernetes' admission would have written into it.
const UNSAID: (&[&str], Duration) =
    (&["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"], Duration::from_mins(5));

/// What to do about a pod on a node that is there.
pub(super) fn of(pod: &Value, node: &Value, now: Timestamp) -> Work {
    if PodView(pod).is_finished() || Meta(pod).is_deleting() {
        return Work::default();
    }
    let tolerations = tolerations(&pod["spec"]);
    let taints = list(node, &["spec", "taints"]).iter().filter_map(|taint| Taint::deserialize(taint).ok());
    let until = taints
        .filter(|taint| taint.effect == Effect::NoExecute)
        .filter_map(|taint| leaves(&taint, &tolerations, now))
        .min();
    match until {
        None => Work::default(),
        Some(until) if until > now => Work::later(until),
        Some(_) => {
            let resource = resources::pods();
            let options = DeleteOptions { uid: Some(Meta(pod).uid().to_owned()), ..DeleteOptions::default() };
            Work::one(ApiRequest::delete(&resource, Id::of(&resource, pod).at(), &options))
        }
    }
}

/// When the pod must leave for this taint; none = never. Of several tolerations the shortest counts.
fn leaves(taint: &Taint, tolerations: &[Toleration], now: Timestamp) -> Option<Timestamp> {
    let since = taint.time_added.unwrap_or(now);
    let mut covering = tolerations.iter().filter(|toleration| toleration.covers(taint)).peekable();
    if covering.peek().is_none() {
        let unsaid = UNSAID.0.contains(&taint.key.as_str());
        return Some(if unsaid { since.plus(UNSAID.1) } else { since });
    }
    let seconds = covering.filter_map(|toleration| toleration.toleration_seconds).min()?;
    Some(since.plus(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))))
}
