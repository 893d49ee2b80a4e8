//! Limits, networks and what is counted.

use crate::Test;
use crate::world::{World, eventually, run, said, text};
use emberyard_sandbox::{ContainerSpec, Limits, NodeHolder, Place, SandboxError, SocketSpec, open_in, start_pod};
use std::time::Duration;

pub const TESTS: &[Test] = &[("limits", limits), ("usage_is_counted", usage), ("host_network_and_sysctls", network)];

fn limits(world: &World) {
    let pod = world.pod();
    let mut spec =
        world.container("forks", "ulimit -u; i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done; echo all");
    spec.limits = Limits { pids: Some(20), ..Limits::default() };
    pod.start_container(&spec).unwrap();
    pod.wait("forks").unwrap();
    assert!(!said(&spec.log).contains("all"), "{}", said(&spec.log));
    let script = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; x=x; while :; do x=$x$x; done";
    let mut spec = world.container("eats", script);
    spec.limits = Limits { memory: Some(32 << 20), cpu_milli: Some(900), cpu_request_milli: Some(100), pids: None };
    spec.oom_score_adj = 500;
    if !NodeHolder::adopt(&world.dir().join("nodes/one")).unwrap().unwrap().cgroups.is_empty() {
        let state = pod.start_container(&spec).unwrap();
        assert_eq!(state.notes, Vec::<String>::new());
        assert!(state.memory_cgroup.unwrap().join("cgroup.procs").exists());
        let ended = pod.wait("eats").unwrap();
        assert!(ended.out_of_memory && ended.exit_code == 137, "{ended:?}");
        assert_eq!(said(&spec.log), "33554432\n", "its limit can be read inside");
        // Whichever process was too big: the container ends as a whole, and nothing of it goes on.
        let script = "(x=x; while :; do x=$x$x; done) & exec sleep 1000";
        let part = ContainerSpec { limits: spec.limits, ..world.container("part", script) };
        let group = pod.start_container(&part).unwrap().memory_cgroup.unwrap();
        let version_1 = group.join("memory.oom_control").exists();
        let ended = pod.wait("part").unwrap();
        assert!(ended.out_of_memory && ended.exit_code == 137, "{ended:?}");
        assert_eq!(ended.programs.iter().any(|(name, _)| name == "sleep"), version_1, "{ended:?}");
        eventually("the end of all of it", || !group.exists() || text(&group.join("cgroup.procs")).is_empty());
    }
    pod.stop().unwrap();
}

fn usage(world: &World) {
    let pod = world.pod();
    let script = "x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo ready; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; \
                  echo worked; read nothing";
    let mut spec = world.container("main", script);
    spec.stdin = true;
    pod.start_container(&spec).unwrap();
    eventually("the work", || said(&spec.log).contains("worked"));
    let usage = pod.usage().unwrap();
    assert!(usage.memory > 20_000_000 && usage.processes == 2 && usage.cpu > Duration::from_millis(10), "{usage:?}");
    pod.stop().unwrap();
}

fn network(world: &World) {
    let node = world.node();
    let mut spec = world.pod_spec("own");
    spec.sysctls = vec![("net.ipv4.ip_local_port_range".to_owned(), "20000 20010".to_owned())];
    let pod = start_pod(&node, &spec).unwrap();
    let script = "cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/ip_unprivileged_port_start; readlink /proc/self/ns/net";
    let (_, said) = run(&pod, &world.container("a", script));
    assert!(said.starts_with("20000\t20010\n0\n"), "{said}");
    assert!(!said.contains(&network_of(&node)));
    let listener = open_in(&pod.place(), &[SocketSpec::Tcp("127.0.0.1:80".parse().unwrap()), SocketSpec::NetlinkRoute]);
    assert_eq!(listener.unwrap().len(), 2);
    assert!(pod.netns_fd().is_ok());
    pod.stop().unwrap();
    let mut spec = world.pod_spec("host");
    spec.host_network = true;
    let pod = start_pod(&node, &spec).unwrap();
    let (_, said) = run(&pod, &world.container("b", "readlink /proc/self/ns/net"));
    assert_eq!(said.trim(), network_of(&node));
    assert!(open_in(&Place::from(&node), &[SocketSpec::NetlinkRoute]).is_ok());
    pod.stop().unwrap();
    let mut spec = world.pod_spec("bad");
    spec.sysctls = vec![("kernel.panic".to_owned(), "1".to_owned())];
    let refused = start_pod(&node, &spec);
    assert!(matches!(refused, Err(SandboxError::Refused { .. })), "{refused:?}");
}

fn network_of(node: &NodeHolder) -> String {
    std::fs::read_link(format!("/proc/{}/ns/net", node.process.pid)).unwrap().to_str().unwrap().to_owned()
}
