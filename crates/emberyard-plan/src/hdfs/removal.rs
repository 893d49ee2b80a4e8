//! The decision.

use super::tell::{self, Told};
use super::{DataNode, Service, World};
use emberyard_model::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// Between two looks that must both be good: a NameNode counts blocks anew each second, and what has just died is not missed
/// at once.
const APART: Duration = Duration::from_secs(3);

/// Since when each pod, by its uid, could go at every look.
pub type SafeSince = BTreeMap<String, Timestamp>;

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The addresses that NameNodes are to be told. Made anew from what is seen: an address means whoever has it now.
    pub excluded: BTreeSet<IpAddr>,
    /// Uids of pods that may go; all others may not.
    pub may_go: BTreeSet<String>,
    /// To be handed in the next time.
    pub safe_since: SafeSince,
    /// What is to be said, if anything is to go.
    pub told: Option<Told>,
}

/// Decides; `before` is what the last decision left.
pub fn plan(world: &World, before: &SafeSince, now: Timestamp) -> Removal {
    let gone = gone(world);
    let named = named(world, &gone);
    let safe_since: SafeSince = world
        .asked()
        .filter(|one| is_safe(world, &named, one))
        .map(|one| (one.uid.clone(), before.get(&one.uid).copied().unwrap_or(now)))
        .collect();
    let may_go =
        safe_since.iter().filter(|(_, since)| now.since(**since) >= APART).map(|(uid, _)| uid.clone()).collect();
    let told = tell::told(world, &named, !gone.is_empty(), &may_go);
    Removal { excluded: &named | &gone, may_go, safe_since, told }
}

/// Addresses whose pod went, and that stay named until no NameNode takes the DataNode for alive: its copies would count
/// again for as long, and others would be removed as too many.
fn gone(world: &World) -> BTreeSet<IpAddr> {
    let owned: BTreeSet<IpAddr> = world.data_nodes.iter().filter(|one| !one.ends).map(|one| one.address).collect();
    let ends = |address: &IpAddr| world.data_nodes.iter().any(|one| one.ends && one.address == *address);
    // Where no NameNode leads, nobody knows.
    let may_count = |address: &IpAddr| {
        world.active.is_none()
            || [&world.active, &world.standby].into_iter().flatten().any(|view| view.is_alive(*address))
    };
    let stays = |address: &&IpAddr| !owned.contains(*address) && (ends(address) || may_count(address));
    world.excluded.iter().filter(stays).copied().collect()
}

/// Addresses of those that are asked to go and hand over their blocks now: as many as the wanted copies allow, those that
/// have begun first, then one node after the other.
fn named(world: &World, gone: &BTreeSet<IpAddr>) -> BTreeSet<IpAddr> {
    let begun = |one: &DataNode| world.excluded.contains(&one.address);
    let Some(active) = &world.active else {
        return world.asked().filter(|one| begun(one)).map(|one| one.address).collect();
    };
    let mut asked: Vec<&DataNode> = world.asked().collect();
    let progress = |one: &DataNode| active.of(one.address).map(|registered| registered.service);
    asked.sort_by_key(|one| (!begun(one), Reverse(progress(one)), &one.node, &one.pod));
    // To begin, enough others must serve this moment. What has begun goes on while others are missed for a moment, a pod that
    // is replaced say: it is taken back only where the NameNode has given them up.
    let in_service = world.in_service();
    let alive: BTreeSet<IpAddr> =
        active.data_nodes.keys().filter(|one| active.is_alive(**one) && !gone.contains(*one)).copied().collect();
    let mut named = BTreeSet::new();
    for one in asked {
        named.insert(one.address);
        let left = if begun(one) { &alive } else { &in_service };
        if left.difference(&named).count() < world.copies as usize {
            named.remove(&one.address);
        }
    }
    named
}

/// Whether nothing would be lost with this pod and its volume, as far as one look can tell.
fn is_safe(world: &World, named: &BTreeSet<IpAddr>, one: &DataNode) -> bool {
    let (Some(active), Some(standby)) = (&world.active, &world.standby) else { return false };
    // A standby that does not know would take it into service again at the next failover.
    let has_left =
        [active, standby].iter().all(|view| view.of(one.address).is_some_and(|it| it.service == Service::Left));
    let known = named.contains(&one.address) && world.excluded.contains(&one.address);
    known && has_left && active.is_whole() && world.in_service().difference(named).count() >= world.copies as usize
}
