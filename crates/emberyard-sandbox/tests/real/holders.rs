//! Holders: made, adopted, killed.

use crate::Test;
use crate::world::World;
use emberyard_sandbox::{Mode, NodeHolder, ProcessId, YardHolder, create_node, create_yard, find, sweep};

pub const TESTS: &[Test] = &[
    ("holders_are_made_adopted_and_killed", made_adopted_killed),
    ("a_holder_is_in_namespaces_of_its_own", own_namespaces),
    ("a_holder_outlives_whoever_made_it", outlives),
    ("sweep_finds_what_records_do_not_name", sweep_finds),
    ("holders_are_small", small),
];

fn namespace(process: &ProcessId, kind: &str) -> std::path::PathBuf {
    std::fs::read_link(format!("/proc/{}/ns/{kind}", process.pid)).unwrap()
}

fn made_adopted_killed(world: &World) {
    let yard = world.yard();
    let node = world.node();
    assert!(yard.is_alive() && node.is_alive());
    assert_eq!(world.yard(), yard, "a second yard is the first");
    assert_eq!(YardHolder::adopt(&world.dir()).unwrap(), Some(yard.clone()));
    assert_eq!(NodeHolder::adopt(&node.dir).unwrap(), Some(node.clone()));
    node.kill().unwrap();
    assert!(!node.is_alive());
    assert_eq!(NodeHolder::adopt(&node.dir).unwrap(), None);
    let again = create_node(&yard, "one", &node.dir).unwrap();
    assert_ne!(again.process, node.process);
    again.kill().unwrap();
    yard.kill().unwrap();
    assert_eq!(YardHolder::adopt(&world.dir()).unwrap(), None);
    for group in yard.cgroups.iter().chain(&node.cgroups) {
        assert!(!group.exists(), "{} is left", group.display());
    }
}

fn own_namespaces(world: &World) {
    let (node, yard) = (world.node(), world.yard());
    let me = ProcessId::of(std::process::id() as i32).unwrap();
    assert_ne!(namespace(&yard.process, "net"), namespace(&me, "net"));
    assert_ne!(namespace(&yard.process, "net"), namespace(&node.process, "net"));
    assert_eq!(namespace(&yard.process, "user"), namespace(&node.process, "user"));
    assert_eq!(namespace(&yard.process, "user") != namespace(&me, "user"), world.mode == Mode::Rootless);
    assert_ne!(namespace(&node.process, "pid"), namespace(&me, "pid"));
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.process.pid)).unwrap();
    let inside = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    assert_eq!(inside.split_whitespace().last(), Some("1"), "PID 1 of its namespace");
    node.kill().unwrap();
    yard.kill().unwrap();
}

fn outlives(world: &World) {
    let yard = world.yard();
    let status = std::fs::read_to_string(format!("/proc/{}/status", yard.process.pid)).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim().to_owned();
    assert_ne!(parent, std::process::id().to_string());
    yard.kill().unwrap();
}

fn sweep_finds(world: &World) {
    let (node, yard) = (world.node(), world.yard());
    std::fs::remove_file(node.dir.join("holder.json")).unwrap();
    std::fs::remove_file(yard.dir.join("run/yard-holder.json")).unwrap();
    let other = tempfile::tempdir().unwrap();
    let neighbour = create_yard(other.path(), world.mode).unwrap();
    let found = find(&world.dir()).unwrap();
    assert!(found.contains(&node.process) && found.contains(&yard.process), "{found:?}");
    assert_eq!(sweep(&world.dir()).unwrap(), 2);
    assert!(!node.is_alive() && !yard.is_alive());
    assert!(neighbour.is_alive(), "another yard is left alone");
    neighbour.kill().unwrap();
}

fn small(world: &World) {
    let (node, yard) = (world.node(), world.yard());
    for process in [&node.process, &yard.process] {
        let smaps = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid)).unwrap();
        let private: u64 = smaps
            .lines()
            .filter(|line| line.starts_with("Private_"))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .sum();
        println!("  private memory of a holder: {private} KiB");
        assert!(private < 1536, "{private} KiB");
    }
    node.kill().unwrap();
    yard.kill().unwrap();
}
