//! Pods as a whole: found again, stopped, killed.

use crate::Test;
use crate::world::{World, eventually, exec, exec_spec, run, said, text};
use emberyard_sandbox::{
    Command, NodeHolder, Place, PodSandbox, SandboxError, SocketSpec, open_in, spawn_in, start_pod, sweep,
};
use std::io::{Read, Write};
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("a_pod_is_stopped_with_all_in_it", stopped),
    ("killing_the_node_kills_all", node_killed),
    ("a_supervisor_is_found_again", found_again),
    ("sweep_ends_pods_without_records", swept),
    ("a_long_path", long_path),
    ("bad_clients_do_not_harm_a_pod", bad_clients),
    ("an_agent_inside_the_yard_does_the_same", agent_inside),
    ("a_supervisor_is_small_and_starts_fast", small_and_fast),
];

fn stopped(world: &World) {
    let pod = world.pod();
    let state = pod.start_container(&world.container("main", "sleep 1000 & sleep 1000")).unwrap();
    assert!(state.process.is_alive());
    let mut watch = pod.watch().unwrap();
    assert_eq!(watch.next(None).unwrap().unwrap().len(), 1);
    assert_eq!(watch.next(Some(Duration::from_millis(20))).unwrap(), None);
    let states = pod.stop().unwrap();
    assert_eq!(states[0].ended.as_ref().map(|ended| ended.exit_code), Some(137));
    assert!(!state.process.is_alive() && !pod.init().is_alive() && !pod.supervisor().is_alive());
    assert!(watch.next(None).unwrap().unwrap()[0].ended.is_some());
    assert!(matches!(watch.next(None), Err(SandboxError::Gone(_))));
    assert!(matches!(pod.list(), Err(SandboxError::Gone(_))));
    assert!(matches!(PodSandbox::open(pod.dir()), Err(SandboxError::Gone(_))));
    for group in NodeHolder::adopt(&world.dir().join("nodes/one")).unwrap().unwrap().cgroups {
        assert!(!group.join("pod").exists(), "{} is left", group.display());
    }
}

fn node_killed(world: &World) {
    let node = world.node();
    let pods: Vec<_> = ["a", "b"].map(|name| start_pod(&node, &world.pod_spec(name)).unwrap()).into();
    let states: Vec<_> = pods
        .iter()
        .zip(["one", "two"])
        .map(|(pod, name)| pod.start_container(&world.container(name, "setsid sleep 1000 & exec sleep 1000")).unwrap())
        .collect();
    node.kill().unwrap();
    for process in
        states.iter().map(|state| &state.process).chain(pods.iter().flat_map(|pod| [pod.init(), pod.supervisor()]))
    {
        assert!(!process.is_alive());
    }
    for group in &node.cgroups {
        assert!(!group.exists(), "{} is left", group.display());
    }
}

fn found_again(world: &World) {
    let pod = world.pod();
    pod.start_container(&world.container("main", "sleep 1000")).unwrap();
    let dir = pod.dir().to_owned();
    drop(pod);
    let pod = PodSandbox::open(&dir).unwrap();
    assert_eq!(pod.list().unwrap().len(), 1);
    assert_eq!(exec(&pod, &exec_spec("main", "echo still")).1, "still\n");
    // A supervisor that is killed takes its pod along.
    let init = pod.init().clone();
    pod.supervisor().kill().unwrap();
    eventually("the pod's end", || !init.is_alive());
    assert!(matches!(PodSandbox::open(&dir), Err(SandboxError::Gone(_))));
    assert_eq!(PodSandbox::recorded(&dir).unwrap().len(), 1);
}

fn swept(world: &World) {
    let node = world.node();
    let pod = start_pod(&node, &world.pod_spec("pod")).unwrap();
    let state = pod.start_container(&world.container("main", "setsid sleep 1000 & exec sleep 1000")).unwrap();
    std::fs::remove_file(node.dir.join("holder.json")).unwrap();
    std::fs::remove_file(world.dir().join("run/yard-holder.json")).unwrap();
    assert!(sweep(&world.dir()).unwrap() >= 5);
    for process in [&state.process, pod.init(), pod.supervisor(), &node.process] {
        assert!(!process.is_alive());
    }
    for group in &node.cgroups {
        assert!(!group.parent().unwrap().exists(), "{} is left", group.display());
    }
    assert_eq!(sweep(&world.dir()).unwrap(), 0);
}

fn long_path(world: &World) {
    let name = format!("{0}/{0}", "x".repeat(120));
    let pod = start_pod(&world.node(), &world.pod_spec(&name.clone())).or_else(|_| {
        let mut spec = world.pod_spec(&name);
        spec.name = "short".into();
        start_pod(&world.node(), &spec)
    });
    let pod = pod.unwrap();
    assert!(pod.dir().as_os_str().len() > 240);
    assert_eq!(run(&pod, &world.container("main", "echo fine")).1, "fine\n");
    pod.stop().unwrap();
}

fn bad_clients(world: &World) {
    use std::os::unix::net::UnixStream;
    let pod = world.pod();
    pod.start_container(&world.container("main", "exec sleep 1000")).unwrap();
    let connect = || UnixStream::connect(pod.dir().join("supervisor.sock")).unwrap();
    for bytes in [
        &b"\n"[..],
        b"not json\n",
        b"{\"Start\":{}}\n",
        b"\"Nothing\"\n",
        b"[1,2",
        &[0xff; 5000],
        b"\"List\"\n\"List\"\n",
    ] {
        let mut client = connect();
        client.write_all(bytes).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        let _cut_off = client.read_to_string(&mut answer);
        assert!(
            answer.is_empty() || answer.starts_with("{\"Failed\"") || answer.starts_with("{\"States\""),
            "{answer}"
        );
    }
    // One that asks without end and never reads, one that sends a message without end.
    let mut deaf = connect();
    deaf.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    while deaf.write_all(&b"\"List\"\n".repeat(1000)).is_ok() {}
    let mut endless = connect();
    endless.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    while endless.write_all(&vec![b'x'; 60_000]).is_ok() {}
    // More than are served at once: some wait, and everything goes on when they leave.
    let many: Vec<_> = (0..300).map(|_| connect()).collect();
    drop(many);
    assert_eq!(exec(&pod, &exec_spec("main", "echo alive")).1, "alive\n");
    let status = text(format!("/proc/{}/status", pod.supervisor().pid).as_ref());
    let resident = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    let resident: u64 = resident.split_whitespace().next().unwrap().parse().unwrap();
    assert!(resident < 16 << 10, "{resident} KiB");
    pod.stop().unwrap();
}

fn agent_inside(world: &World) {
    let node = world.node();
    let command = Command {
        argv: ["/proc/self/exe", "--agent", world.dir().to_str().unwrap()].map(Into::into).to_vec(),
        env: vec![],
        fds: vec![],
        log: world.dir().join("agent.log"),
        cwd: "/".into(),
    };
    let child = spawn_in(&Place::from(&node), command).unwrap();
    assert_eq!(child.wait(None).unwrap(), Some(0), "{}", text(&world.dir().join("agent.log")));
    // The agent is gone, its pod is not.
    let pod = PodSandbox::open(&world.dir().join("nodes/one/pods/by-agent")).unwrap();
    assert_eq!(said(&world.dir().join("log/main.log")), "from the agent\n");
    assert_eq!(exec(&pod, &exec_spec("main", "echo outside")).1, "outside\n");
    pod.stop().unwrap();
}

/// The agent's part, played by this program inside the yard's user namespace and the node's network.
pub fn play_agent(world: &World) {
    let node = NodeHolder::adopt(&world.dir().join("nodes/one")).unwrap().unwrap();
    let pod = start_pod(&node, &world.pod_spec("by-agent")).unwrap();
    assert_eq!(start_pod(&node, &world.pod_spec("by-agent")).unwrap().supervisor(), pod.supervisor());
    let state = pod.start_container(&world.container("main", "echo from the agent; exec sleep 1000")).unwrap();
    assert!(state.process.is_alive());
    assert_eq!(exec(&pod, &exec_spec("main", "id -u")).1, "1000\n");
    assert_eq!(open_in(&pod.place(), &[SocketSpec::NetlinkRoute]).unwrap().len(), 1);
    assert_eq!(open_in(&Place::from(&node), &[SocketSpec::NetlinkRoute]).unwrap().len(), 1);
    assert!(pod.netns_fd().is_ok());
    assert!(pod.usage().unwrap().processes >= 2);
    let ended = start_pod(&node, &world.pod_spec("ended")).unwrap();
    ended.stop().unwrap();
}

fn small_and_fast(world: &World) {
    let node = world.node();
    let started = std::time::Instant::now();
    let pod = start_pod(&node, &world.pod_spec("pod")).unwrap();
    let pod_took = started.elapsed();
    let spec = world.container("main", "exec sleep 1000");
    let started = std::time::Instant::now();
    pod.start_container(&spec).unwrap();
    let container_took = started.elapsed();
    let started = std::time::Instant::now();
    exec(&pod, &exec_spec("main", "true"));
    println!("  pod {pod_took:?}, container {container_took:?}, exec {:?}", started.elapsed());
    for (name, process) in [("supervisor", pod.supervisor()), ("init", pod.init())] {
        let smaps = text(format!("/proc/{}/smaps_rollup", process.pid).as_ref());
        let private: u64 = smaps
            .lines()
            .filter(|line| line.starts_with("Private_"))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .sum();
        println!("  private memory of a {name}: {private} KiB");
        assert!(private < 1536, "{private} KiB");
    }
    pod.stop().unwrap();
}
