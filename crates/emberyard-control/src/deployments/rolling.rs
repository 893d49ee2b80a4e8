//! From old sets to the new one, with never too many and never too few pods.

use super::{Deployment, counted, scaled, wanted};
use emberyard_object::ApiRequest;
use emberyard_object::view::Meta;
use serde_json::Value;
use std::collections::BTreeMap;

/// How large the newest set may be now.
pub(super) fn new_size(deployment: Deployment<'_>, now: i64, old: &[&Value]) -> i64 {
    let due = deployment.replicas();
    if deployment.recreates() || now >= due {
        return due;
    }
    let (surge, _) = deployment.leeway();
    let room = due + surge - now - old.iter().map(|set| wanted(set)).sum::<i64>();
    now + room.clamp(0, due - now)
}

/// The next step: the new set grows before old ones shrink.
pub(super) fn steps(deployment: Deployment<'_>, new: &Value, old: &[&Value]) -> Vec<ApiRequest> {
    let size = new_size(deployment, wanted(new), old);
    if size != wanted(new) {
        return vec![scaled(new, size)];
    }
    let mut sizes: BTreeMap<&str, i64> = old.iter().map(|set| (Meta(set).uid(), wanted(set))).collect();
    shrink(deployment, new, old, &mut sizes);
    let changed = old.iter().filter(|set| sizes.get(Meta(set).uid()) != Some(&wanted(set)));
    changed.map(|set| scaled(set, sizes.get(Meta(set).uid()).copied().unwrap_or(0))).collect()
}

/// Sizes of the old sets: pods that serve nobody go first, then as many others as can be spared.
fn shrink<'a>(deployment: Deployment<'_>, new: &Value, old: &[&'a Value], sizes: &mut BTreeMap<&'a str, i64>) {
    let (_, away) = deployment.leeway();
    let least = deployment.replicas() - away;
    let all = wanted(new) + sizes.values().sum::<i64>();
    let unfit = (wanted(new) - counted(new, "availableReplicas")).max(0);
    let mut spare = all - least - unfit;
    for set in old {
        let idle = (wanted(set) - counted(set, "availableReplicas")).max(0);
        spare -= lower(sizes, set, idle.min(spare));
    }
    let available =
        counted(new, "availableReplicas") + old.iter().map(|set| counted(set, "availableReplicas")).sum::<i64>();
    let mut spare = (available - least).min(spare);
    for set in old {
        spare -= lower(sizes, set, spare);
    }
}

/// Takes so many off a set, as far as it has them.
fn lower<'a>(sizes: &mut BTreeMap<&'a str, i64>, set: &'a Value, by: i64) -> i64 {
    let Some(size) = sizes.get_mut(Meta(set).uid()) else { return 0 };
    let by = by.clamp(0, *size);
    *size -= by;
    by
}
