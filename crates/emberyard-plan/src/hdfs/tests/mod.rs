mod model;

use super::*;
use emberyard_model::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;

fn address(number: impl Into<u16>) -> IpAddr {
    let [high, low] = number.into().to_be_bytes();
    IpAddr::from([10, 42, high, low])
}

/// DataNodes by number, on two nodes: of `asked` ones the node is to be emptied.
fn world(copies: u32, services: &[Service], asked: &[u8]) -> World {
    let numbers = || (0..).zip(services);
    let data_nodes = numbers().map(|(number, _)| DataNode {
        pod: format!("dn-{number}"),
        uid: format!("uid-{number}"),
        address: address(number),
        node: format!("node-{}", number / 2),
        ready: true,
        ends: false,
        asked: asked.contains(&number),
    });
    let known = numbers().map(|(number, service)| (address(number), Registered { alive: true, service: *service }));
    let view = View { data_nodes: known.collect(), ..View::default() };
    World {
        copies,
        wanted: services.len() as u32,
        data_nodes: data_nodes.collect(),
        active: Some(view.clone()),
        standby: Some(view),
        excluded: BTreeSet::new(),
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn decide(world: &World) -> Removal {
    plan(world, &SafeSince::new(), at(0))
}

fn addresses(numbers: &[u8]) -> BTreeSet<IpAddr> {
    numbers.iter().map(|number| address(*number)).collect()
}

use Service::{Full, HandsOver, Left};

#[test]
fn as_many_hand_over_as_leave_enough_in_service() {
    type Row<'a> = (u32, &'a [Service], &'a [u8], &'a [u8], &'a [u8]);
    let table: [Row<'_>; 9] = [
        // Copies, services, asked, named so far; named now.
        (2, &[Full; 4], &[0, 1], &[], &[0, 1]),
        (3, &[Full; 4], &[0, 1], &[], &[0]),
        (3, &[Full; 3], &[0, 1], &[], &[]),
        (2, &[Full; 4], &[0, 1, 2, 3], &[], &[0, 1]),
        // What has begun comes first, and the one that is furthest of that.
        (3, &[Full; 4], &[0, 1, 2], &[2], &[2]),
        (2, &[HandsOver, Left, Full], &[0, 1], &[0, 1], &[1]),
        (2, &[HandsOver, Full, Full], &[0, 1], &[0], &[0]),
        // Nobody is asked any more.
        (2, &[HandsOver, Left, Full, Full], &[], &[0, 1], &[]),
        // One of another pod's address is out, whoever had it before.
        (2, &[Full; 4], &[0], &[3], &[0]),
    ];
    for (copies, services, asked, before, wanted) in table {
        let mut world = world(copies, services, asked);
        world.excluded = addresses(before);
        let decided = decide(&world);
        assert_eq!(decided.excluded, addresses(wanted), "{copies} {services:?} {asked:?} {before:?}");
        assert!(decided.may_go.is_empty());
    }
}

#[test]
fn a_pod_may_go_after_two_good_looks_apart() {
    let mut world = world(2, &[Left, Full, Full, Full], &[0]);
    world.excluded = addresses(&[0]);
    let first = decide(&world);
    assert!(first.may_go.is_empty() && first.told.unwrap().message.contains("looked at once more"));
    let soon = plan(&world, &first.safe_since, at(1));
    assert!(soon.may_go.is_empty());
    let later = plan(&world, &soon.safe_since, at(3));
    assert_eq!(later.may_go, BTreeSet::from(["uid-0".to_owned()]));
    assert!(later.told.unwrap().done);

    let spoil: [fn(&mut World); 8] = [
        |world| world.standby = None,
        |world| world.active = None,
        |world| world.active.as_mut().unwrap().lacking = 1,
        |world| world.active.as_mut().unwrap().pending = 1,
        |world| world.active.as_mut().unwrap().missing = 1,
        |world| world.active.as_mut().unwrap().safe_mode = true,
        // A standby that knows nothing of it yet.
        |world| world.standby.as_mut().unwrap().data_nodes.clear(),
        // Two others are replaced this moment.
        |world| world.data_nodes.iter_mut().skip(2).for_each(|one| one.ready = false),
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let mut world = world.clone();
        spoil(&mut world);
        let decided = plan(&world, &soon.safe_since, at(3));
        assert!(decided.may_go.is_empty() && decided.safe_since.is_empty(), "{number}: {decided:?}");
        assert_eq!(decided.excluded, addresses(&[0]), "{number}");
    }
}

#[test]
fn an_address_without_a_pod_stays_named_until_nobody_counts_it() {
    let mut world = world(2, &[Left, Full, Full, Full], &[0]);
    world.excluded = addresses(&[0]);
    world.data_nodes[0].ends = true;
    assert_eq!(decide(&world).excluded, addresses(&[0]));
    world.data_nodes.remove(0);
    assert_eq!(decide(&world).excluded, addresses(&[0]));
    // No NameNode leads: nobody knows.
    let leaderless = World { active: None, ..world.clone() };
    assert_eq!(decide(&leaderless).excluded, addresses(&[0]));
    // It came back under another address, or it died; only the standby has not noticed yet.
    world.active.as_mut().unwrap().data_nodes.remove(&address(0_u8));
    assert_eq!(decide(&world).excluded, addresses(&[0]));
    let dead = Registered { alive: false, service: Left };
    world.standby.as_mut().unwrap().data_nodes.insert(address(0_u8), dead);
    assert_eq!(decide(&world).excluded, addresses(&[]));
}

#[test]
fn a_dead_one_that_was_named_may_go_once_its_blocks_are_elsewhere() {
    let mut world = world(2, &[Left, Full, Full], &[0]);
    world.excluded = addresses(&[0]);
    for view in [&mut world.active, &mut world.standby] {
        view.as_mut().unwrap().data_nodes.insert(address(0_u8), Registered { alive: false, service: Left });
    }
    world.data_nodes[0].ready = false;
    assert_eq!(plan(&world, &decide(&world).safe_since, at(9)).may_go.len(), 1);
}

#[test]
fn what_is_said() {
    let said = |world: &World| {
        let Told { done, reason, message } = decide(world).told.unwrap();
        format!("{done} {reason}: {message}")
    };
    assert_eq!(decide(&world(2, &[Full; 4], &[])).told, None);
    insta::assert_snapshot!(said(&world(3, &[Full; 3], &[0, 1])), @"false TooFewDataNodes: dn-0, dn-1 can't go: 3 DataNodes are in service, and spec.replication wants 3 copies of a block. Ask for more DataNodes (spec.dataNodes), with nodes for them, or for fewer copies (spec.replication, and `hdfs dfs -setrep` for files that are there).");
    let mut some = world(3, &[HandsOver, Full, Full, Full], &[0, 1]);
    some.excluded = addresses(&[0]);
    some.active.as_mut().unwrap().lacking = 12;
    insta::assert_snapshot!(said(&some), @"false Copying: Blocks of dn-0 are being copied to others: 12 to go. dn-1 must wait for others: 3 DataNodes are in service, and spec.replication wants 3 copies of a block.");
    insta::assert_snapshot!(said(&World { active: None, ..some.clone() }), @"false NotServing: dn-0, dn-1 can't hand over blocks: no NameNode is active.");
    let safe_mode = View { safe_mode: true, ..some.active.clone().unwrap() };
    insta::assert_snapshot!(said(&World { active: Some(safe_mode), ..some.clone() }), @"false NotServing: dn-0, dn-1 can't hand over blocks: the active NameNode takes no changes (safe mode). Either it still waits for DataNodes that hold blocks, or somebody asked it to (`hdfs dfsadmin -safemode get` says which).");
    some.active.as_mut().unwrap().data_nodes.insert(address(0_u8), Registered { alive: true, service: Left });
    insta::assert_snapshot!(said(&some), @"false Copying: dn-0 handed over all blocks; 12 blocks lack copies, which may want more than spec.replication (`hdfs dfs -setrep`). dn-1 must wait for others: 3 DataNodes are in service, and spec.replication wants 3 copies of a block.");
    // One is away already: the next follows when that is back.
    let mut moving = world(2, &[Left, Full, Full], &[1]);
    moving.excluded = addresses(&[0]);
    moving.data_nodes.remove(0);
    insta::assert_snapshot!(said(&moving), @"false Waiting: dn-1 must wait for others: 2 DataNodes are in service, and spec.replication wants 2 copies of a block.");
}

#[test]
fn pages_are_read() {
    let node = |state: &str| json!({"adminState": state, "xferaddr": "10.42.0.1:9866"}).to_string();
    let info = |live: String, dead: &str| {
        let beans = json!([{"Safemode": "", "NumberOfMissingBlocks": 1, "LiveNodes": live, "DeadNodes": dead}]);
        json!({ "beans": beans })
    };
    let state = json!({"beans": [{"UnderReplicatedBlocks": 2, "PendingReconstructionBlocks": 3}]});
    let table = [("In Service", Full), ("Decommission In Progress", HandsOver), ("Decommissioned", Left)];
    for (word, service) in table {
        let live = format!("{{\"10.42.0.1:9866\":{}}}", node(word));
        let view = View::read(&info(live, "{}"), &state).unwrap();
        let data_nodes = BTreeMap::from([(address(1_u8), Registered { alive: true, service })]);
        assert_eq!(view, View { safe_mode: false, data_nodes, missing: 1, lacking: 2, pending: 3 });
    }
    // A NameNode that loads has no such beans.
    assert_eq!(View::read(&json!({"beans": []}), &state), None);
}
