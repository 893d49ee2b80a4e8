use super::*;
use crate::fleet::plan;
use crate::lint;
use proptest::prelude::*;

fn any_state() -> impl Strategy<Value = NodeState> {
    prop_oneof![
        6 => Just(NodeState::Ready),
        2 => (0..400_i64).prop_map(|age| NodeState::Booting { since: at(-age) }),
        1 => Just(NodeState::Draining),
        1 => (0..60_i64).prop_map(|age| NodeState::Lost { since: at(-age) }),
        1 => Just(NodeState::Dead),
    ]
}

prop_compose! {
    fn any_world()(
        states in prop::collection::vec((any_state(), 0..60_i64, 0..2_u8), 0..8),
        pods in prop::collection::vec((1..6_u64, 0..9_usize, 0..4_usize, 0..20_i64, 0..8_u8), 0..30),
    ) -> World {
        let mut world = World::default();
        for (index, (state, empty, keep)) in states.into_iter().enumerate() {
            let mut one = node(&format!("node-{index}"), state);
            one.created = at(-500 - i64::try_from(index).unwrap());
            one.empty_since = Some(at(-empty));
            one.keep = keep == 1;
            world.nodes.push(one);
        }
        for (index, (cpu, on, gang, age, standing)) in pods.into_iter().enumerate() {
            let gangs = [None, Some("default/a"), Some("default/b"), Some("other/c")];
            let mut one = pod(&format!("pod-{index:02}"), cpu, gangs[gang], None);
            one.node = world.nodes.get(on).map(|node| node.name.clone());
            one.created = at(-age);
            one.standing = match standing {
                0 => Standing::Daemon,
                1 => Standing::Kept("data".to_owned()),
                _ => Standing::Work,
            };
            world.pods.push(one);
        }
        let before = world.clone();
        world.remember(&before, NOW);
        world
    }
}

proptest! {
    #[test]
    fn no_plan_contradicts_itself_the_world_or_the_policy(world in any_world(), min in 0..4_u32, more in 0..8_u32) {
        let policy = policy(min, min + more);
        let decided = plan(&world, &policy, NOW);
        prop_assert_eq!(lint(&decided, &world, &policy), []);
        for name in decided.removed() {
            let node = world.nodes.iter().find(|node| &node.name == name).unwrap();
            prop_assert!(!matches!(node.state, NodeState::Ready) || world.is_empty_node(name), "{} has work", name);
        }
    }

    #[test]
    fn the_same_world_gives_the_same_plan_whatever_its_order(world in any_world(), seed in any::<u64>()) {
        let policy = policy(1, 6);
        let mut turned = world.clone();
        let by = usize::try_from(seed % 31).unwrap();
        if !turned.pods.is_empty() { let by = by % turned.pods.len(); turned.pods.rotate_left(by); }
        let (one, other) = (plan(&world, &policy, NOW), plan(&turned, &policy, NOW));
        prop_assert_eq!(&one.steps, &other.steps);
        prop_assert_eq!(one.wake, other.wake);
    }

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(world in any_world(), max in 2..9_u32) {
        let policy = policy(1, max);
        let mut world = world;
        // A removal makes room below the maximum, which the next decision may use; then all is done.
        for round in 0..4 {
            let decided = plan(&world, &policy, NOW);
            let removes = decided.removed().count();
            world = carried_out(&world, &decided, &policy, NOW);
            if removes == 0 {
                let again = plan(&world, &policy, NOW);
                prop_assert_eq!(again.steps, []);
                return Ok(());
            }
            prop_assert!(round < 3, "does not settle");
        }
    }

    #[test]
    fn identical_pods_get_exactly_the_nodes_they_need(
        count in 0..60_u32, cpu in 1..5_u64, busy in prop::collection::vec(0..5_u64, 0..4), max in 0..40_u32,
    ) {
        let mut world = World { pods: executors(count, cpu), ..World::default() };
        let mut room = 0;
        for (index, used) in busy.iter().enumerate() {
            let name = format!("node-{index}");
            world.nodes.push(node(&name, NodeState::Ready));
            world.pods.push(pod(&format!("busy-{index}"), *used, None, Some(&name)));
            room += (4 - used) / cpu;
        }
        let per_node = 4 / cpu;
        let needed = u64::from(count).saturating_sub(room).div_ceil(per_node);
        let allowed = u64::from(max).saturating_sub(busy.len() as u64);
        let decided = plan(&world, &policy(0, max), NOW);
        prop_assert_eq!(u64::from(decided.added()), needed.min(allowed));
    }

    #[test]
    fn added_nodes_suffice_when_the_maximum_allows(pods in prop::collection::vec(1..5_u64, 1..40)) {
        let mut world = World::default();
        for (index, cpu) in pods.iter().enumerate() {
            world.pods.push(pod(&format!("pod-{index:02}"), *cpu, Some("default/a"), None));
        }
        let policy = policy(0, 100);
        let decided = plan(&world, &policy, NOW);
        let mut after = carried_out(&world, &decided, &policy, NOW);
        for node in &mut after.nodes { node.state = NodeState::Ready; }
        let again = plan(&after, &policy, NOW);
        prop_assert_eq!(again.added(), 0);
        let held_back = again.reasons.iter().any(|reason| matches!(reason, crate::Reason::AtMaximum { .. }));
        prop_assert!(!held_back);
        prop_assert!(u64::from(decided.added()) <= pods.iter().sum::<u64>().div_ceil(4) * 2);
    }
}
