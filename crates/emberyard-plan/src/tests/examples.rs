use super::*;
use crate::fleet::plan;
use crate::{Keeper, Reason, lint};
use emberyard_model::fit::{Effect, Taint};

fn two_nodes() -> World {
    World {
        nodes: vec![node("node-1", NodeState::Ready), node("node-2", NodeState::Ready)],
        pods: vec![pod("notebook", 1, None, Some("node-1"))],
        expected: BTreeMap::new(),
        starting: BTreeSet::new(),
    }
}

#[test]
fn ten_executors_get_their_nodes_in_one_decision() {
    let mut world = two_nodes();
    world.pods.extend(executors(10, 1));
    let decided = plan(&world, &policy(2, 4), NOW);
    assert_eq!(lint(&decided, &world, &policy(2, 4)), []);
    insta::assert_yaml_snapshot!(decided.steps, @r"
    - Add:
        shape: local
        count: 1
        for_gang: default/app
    ");
    insta::assert_yaml_snapshot!(sentences(&decided), @r#"
    - "1 node is added of shape local for 3 pods of default/app: 7 pods of it found room on nodes that are there or boot."
    "#);
    let after = carried_out(&world, &decided, &policy(2, 4), NOW);
    let again = plan(&after, &policy(2, 4), NOW);
    assert_eq!(again.steps, []);
}

#[test]
fn beyond_the_maximum_the_rest_is_told_to_wait() {
    let mut world = two_nodes();
    world.pods.extend(executors(10, 2));
    let decided = plan(&world, &policy(2, 3), NOW);
    assert_eq!(decided.added(), 1);
    assert!(sentences(&decided).contains(
        &"5 pods of default/app must wait: the fleet may have 3 nodes. Allow more nodes, or ask for fewer or smaller pods."
            .to_owned()
    ));
}

#[test]
fn a_growing_gang_is_waited_for_unless_its_size_is_known() {
    let mut world = two_nodes();
    world.pods.extend(executors(8, 1));
    for pod in &mut world.pods {
        pod.created = at(-1);
    }
    let waiting = plan(&world, &policy(2, 4), NOW);
    assert_eq!((waiting.added(), waiting.wake), (0, Some(at(1))));
    assert!(matches!(waiting.reasons[0], Reason::Gathering { seen: 8, .. }));
    world.expected.insert(GangId("default/app".to_owned()), 14);
    let known = plan(&world, &policy(2, 4), NOW);
    assert_eq!(known.added(), 2, "seven find room, seven more need two nodes, six of them only announced");
    let later = plan(&world, &policy(2, 4), at(5));
    assert_eq!(later.added(), 1, "what was announced and never came is forgotten");
}

#[test]
fn a_gang_whose_driver_still_starts_is_waited_for_longer() {
    let mut world = two_nodes();
    world.pods.extend(executors(9, 1));
    for pod in &mut world.pods {
        pod.created = at(-4);
    }
    assert_eq!(plan(&world, &policy(2, 4), NOW).added(), 1, "four seconds without a new pod: complete");
    world.starting.insert(GangId("default/app".to_owned()));
    let waiting = plan(&world, &policy(2, 4), NOW);
    assert_eq!((waiting.added(), waiting.wake), (0, Some(at(11))));
    assert_eq!(plan(&world, &policy(2, 4), at(11)).added(), 1, "a driver that never tells is not waited for for ever");
}

#[test]
fn what_can_never_fit_is_told_with_what_would() {
    let mut world = two_nodes();
    world.pods.extend(executors(3, 6));
    let mut picky = pod("picky", 1, None, None);
    picky.selector.insert("gpu".to_owned(), "yes".to_owned());
    world.pods.push(picky);
    let decided = plan(&world, &policy(0, 4), NOW);
    assert_eq!(decided.added(), 0);
    insta::assert_yaml_snapshot!(sentences(&decided), @r#"
    - "default/picky can never run: a node of the nearest shape, local, has no label gpu=yes."
    - "default/exec-001 and 2 like it can never run: asked are cpu 6, memory 1Gi; of that a node of the nearest shape, local, holds cpu 4, memory 1Gi. Ask for at most that."
    "#);
}

#[test]
fn a_pod_that_waits_for_something_else_buys_nothing() {
    let mut world = two_nodes();
    let mut gated = pod("gated", 4, None, None);
    gated.waits_for = Some("its scheduling gates (quota)".to_owned());
    world.pods.push(gated);
    let decided = plan(&world, &policy(0, 4), NOW);
    assert_eq!(decided.added(), 0);
    assert_eq!(sentences(&decided)[0], "default/gated waits for its scheduling gates (quota), not for a node.");
}

#[test]
fn empty_nodes_go_after_a_while_and_not_below_the_minimum() {
    let mut world = two_nodes();
    for name in ["node-3", "node-4"] {
        let mut extra = node(name, NodeState::Ready);
        extra.created = at(-100);
        world.nodes.push(extra);
    }
    world.remember(&World::default(), at(-10));
    let early = plan(&world, &policy(2, 4), at(-5));
    assert_eq!((early.steps.len(), early.wake), (0, Some(NOW)));
    let due = plan(&world, &policy(2, 4), NOW);
    let removed: Vec<&str> = due.removed().map(NodeName::as_str).collect();
    assert_eq!(removed, ["node-4", "node-3"]);
    assert!(sentences(&due).contains(&"node-2 is empty and stays: the fleet keeps 2 nodes.".to_owned()));
    assert_eq!(lint(&due, &world, &policy(2, 4)), []);
}

#[test]
fn daemons_do_not_hold_a_node_but_data_and_owners_do() {
    let mut world = World {
        nodes: ["a", "b", "c", "d"].iter().map(|name| node(name, NodeState::Ready)).collect(),
        ..World::default()
    };
    for (on, standing) in
        [("a", Standing::Daemon), ("b", Standing::Kept("it holds data on this node".to_owned())), ("c", Standing::Work)]
    {
        world.pods.push(Pod { standing, ..pod(&format!("on-{on}"), 1, None, Some(on)) });
    }
    world.nodes[3].keep = true;
    world.remember(&World::default(), at(-60));
    let decided = plan(&world, &policy(0, 9), NOW);
    let removed: Vec<&str> = decided.removed().map(NodeName::as_str).collect();
    assert_eq!(removed, ["a"]);
    assert!(
        sentences(&decided)
            .contains(&"b stays without work: default/on-b keeps it (it holds data on this node).".to_owned())
    );
}

#[test]
fn a_pending_pod_holds_the_node_it_fits_on_and_a_new_one_all_of_them() {
    let mut world = World { nodes: vec![node("a", NodeState::Ready), node("b", NodeState::Ready)], ..World::default() };
    world.remember(&World::default(), at(-60));
    world.pods.push(Pod { created: at(-1), ..pod("new", 1, None, None) });
    let held = plan(&world, &policy(0, 2), NOW);
    assert_eq!(held.steps, []);
    assert!(held.reasons.iter().any(|reason| matches!(reason, Reason::Keeping { because: Keeper::Pending(_), .. })));
    world.pods[0].created = at(-50);
    assert_eq!(plan(&world, &policy(0, 2), NOW).removed().count(), 1);
}

#[test]
fn broken_nodes_go_and_are_replaced() {
    let mut world = World {
        nodes: vec![
            node("slow", NodeState::Booting { since: at(-301) }),
            node("boots", NodeState::Booting { since: at(-3) }),
            node("lost", NodeState::Lost { since: at(-31) }),
            node("silent", NodeState::Lost { since: at(-5) }),
            node("dead", NodeState::Dead),
            node("leaving", NodeState::Draining),
        ],
        pods: executors(8, 1),
        ..World::default()
    };
    world.pods.push(pod("doomed", 1, None, Some("lost")));
    world.pods.push(pod("died", 1, None, Some("dead")));
    let kept = Node { keep: true, ..node("mine", NodeState::Draining) };
    let decided = plan(&World { nodes: vec![kept], ..World::default() }, &policy(0, 3), NOW);
    assert_eq!(decided.steps, []);
    let decided = plan(&world, &policy(0, 3), NOW);
    let removed: Vec<&str> = decided.removed().map(NodeName::as_str).collect();
    assert_eq!(removed, ["slow", "lost", "dead", "leaving"]);
    assert_eq!((decided.added(), decided.wake), (1, Some(at(25))), "four on the booting node, four on one more");
    assert_eq!(lint(&decided, &world, &policy(0, 3)), []);
}

#[test]
fn a_fleet_below_its_minimum_is_filled() {
    let decided = plan(&World::default(), &policy(2, 4), NOW);
    assert_eq!(decided.added(), 2);
    assert_eq!(sentences(&decided), ["The fleet has 0 nodes and must have 2."]);
}

#[test]
fn taints_and_pods_that_stay_apart_need_nodes_of_their_own() {
    let mut world = World { pods: executors(3, 1), ..World::default() };
    for pod in &mut world.pods {
        pod.apart.insert("hostPort TCP/7079".to_owned());
    }
    assert_eq!(plan(&world, &policy(0, 9), NOW).added(), 3);
    let mut tainted = policy(0, 9);
    tainted.shapes[0].taints =
        vec![Taint { key: "spot".to_owned(), value: String::new(), effect: Effect::NoSchedule, time_added: None }];
    let decided = plan(&world, &tainted, NOW);
    assert_eq!(decided.added(), 0);
    assert!(
        sentences(&decided)[0]
            .ends_with("a node of the nearest shape, local, has the taint spot that the pod does not tolerate.")
    );
}

#[test]
fn lint_finds_planted_contradictions() {
    let world = two_nodes();
    let remove = |name: &str| Step::Remove { node: NodeName::new(name).unwrap() };
    let add = |shape: &str, count| Step::Add { name: None, shape: shape.to_owned(), count, for_gang: None };
    let bad = Plan {
        steps: vec![remove("node-1"), remove("node-9"), remove("node-9"), add("moon", 9), add("local", 0)],
        ..Plan::default()
    };
    let found: Vec<String> = lint(&bad, &world, &policy(2, 4)).iter().map(ToString::to_string).collect();
    for part in
        ["which has work", "does not exist", "twice", "shape moon", "adds no node", "more than allowed", "no reason"]
    {
        assert!(found.iter().any(|one| one.contains(part)), "{part}: {found:?}");
    }
}
