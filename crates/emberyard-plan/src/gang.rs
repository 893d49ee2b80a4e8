//! Pending pods in groups that are decided together.

use crate::{GangId, Pod, Policy, World};
use emberyard_model::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// A driver that starts tells within this how many executors it wants (2 s on a quiet machine; one without UI never does).
const DRIVER_TELLS: Duration = Duration::from_secs(15);

/// The pending pods of one gang (or all single pods, when `id` is none), with those its driver has announced.
#[derive(Debug, Clone)]
pub(crate) struct Gang<'a> {
    pub id: Option<GangId>,
    /// Pods that wait for a node.
    pub pending: Vec<&'a Pod>,
    /// How many more pods, like the largest of the pending, are announced but not there yet.
    pub to_come: u32,
    /// Set while it may still grow and nobody knows how far.
    pub open_until: Option<Timestamp>,
}

/// Groups the pending pods: single pods first, then gangs in the order of their first pod, so that none is
/// starved by its size. Gangs that still grow come last: nodes bought for another gang are not for them.
pub(crate) fn gangs<'a>(world: &'a World, policy: &Policy, now: Timestamp) -> Vec<Gang<'a>> {
    let mut groups: BTreeMap<Option<&GangId>, Vec<&Pod>> = BTreeMap::new();
    for pod in world.pods.iter().filter(|pod| pod.node.is_none() && pod.waits_for.is_none()) {
        groups.entry(pod.gang.as_ref()).or_default().push(pod);
    }
    let mut gangs: Vec<(Timestamp, Gang<'_>)> = groups
        .into_iter()
        .filter_map(|(id, pending)| {
            let first = pending.iter().map(|pod| pod.created).min()?;
            Some((first, gather(id, pending, world, policy, now)))
        })
        .collect();
    gangs.sort_by(|(a_first, a), (b_first, b)| {
        let order = |first: &Timestamp, gang: &Gang<'_>| (gang.open_until.is_some(), gang.id.is_some(), *first);
        order(a_first, a).cmp(&order(b_first, b)).then_with(|| a.id.cmp(&b.id))
    });
    gangs.into_iter().map(|(_, gang)| gang).collect()
}

fn gather<'a>(id: Option<&GangId>, pending: Vec<&'a Pod>, world: &World, policy: &Policy, now: Timestamp) -> Gang<'a> {
    let newest = pending.iter().map(|pod| pod.created).max().unwrap_or(now);
    let first = pending.iter().map(|pod| pod.created).min().unwrap_or(now);
    let starting = id.is_some_and(|id| world.starting.contains(id));
    let window = newest.plus(policy.gang_window);
    let closes = if starting { window.max(first.plus(DRIVER_TELLS)) } else { window };
    let (mut to_come, mut open_until) = (0, None);
    // What the driver announced counts only while pods keep coming: later its target may have fallen without a word.
    if let Some(id) = id.filter(|_| now < closes) {
        let here = world.pods.iter().filter(|pod| pod.gang.as_ref() == Some(id)).count();
        match world.expected.get(id) {
            Some(expected) => to_come = expected.saturating_sub(u32::try_from(here).unwrap_or(u32::MAX)),
            None => open_until = Some(closes),
        }
    }
    Gang { id: id.cloned(), pending, to_come, open_until }
}
