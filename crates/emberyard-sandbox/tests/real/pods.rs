//! Pods and containers.

use crate::Test;
use crate::world::{World, bind, eventually, exec, exec_spec, run, said, text};
use emberyard_sandbox::{
    Command, Ended, IdMap, Limits, Mode, MountSource, MountSpec, NodeHolder, Owner, Place, PodSandbox, SandboxError,
    SocketSpec, WindowSize, open_in, spawn_in, start_pod, sweep,
};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("a_container_sees_its_own_world", own_world),
    ("layers_are_merged_and_kept", layers),
    ("exit_codes_and_signals", exit_codes),
    ("programs_that_cannot_run", cannot_run),
    ("a_pod_is_stopped_with_all_in_it", stopped),
    ("killing_the_node_kills_all", node_killed),
    ("a_supervisor_is_found_again", found_again),
    ("containers_of_a_pod_share", share),
    ("exec_with_pipes", exec_pipes),
    ("exec_with_a_terminal", exec_terminal),
    ("a_dropped_exec_is_killed", exec_dropped),
    ("attach_and_stdin", attach),
    ("mounts", mounts),
    ("the_users_folder_keeps_its_owner", users_folder),
    ("root_in_a_pod_is_nobody_outside", pod_root),
    ("limits", limits),
    ("the_rest_of_a_container_dies_with_it", rest_dies),
    ("much_output", much_output),
    ("host_network_and_sysctls", network),
    ("a_long_path", long_path),
    ("an_agent_inside_the_yard_does_the_same", agent_inside),
    ("sweep_ends_pods_without_records", swept),
    ("usage_is_counted", usage),
    ("bad_clients_do_not_harm_a_pod", bad_clients),
    ("what_cannot_be_id_mapped_is_said", not_mapped),
    ("a_supervisor_is_small_and_starts_fast", small_and_fast),
];

fn own_world(world: &World) {
    let pod = world.pod();
    let script = "hostname; id -u; id -g; cat /proc/1/comm; pwd; echo $GREETING; env | wc -l; ls -d /sys/class; \
                  echo x > /dev/null && echo null; ls /dev; [ -w / ] && echo writable-root; ls /proc/sys/kernel/ostype; \
                  grep -c . /proc/net/dev; umask; grep NoNewPrivs /proc/self/status; grep CapEff /proc/self/status; \
                  ls /proc/self/fd | tr '\\n' ' '";
    let (code, said) = run(&pod, &world.container("main", script));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(code, 0, "{said}");
    assert_eq!(&lines[..6], ["my-pod", "1000", "1000", "emberyard-init", "/tmp", "hello"], "{said}");
    for expected in
        ["/sys/class", "null", "urandom", "shm", "ptmx", "3", "0022", "CapEff:\t0000000000000000", "0 1 2 3 "]
    {
        assert!(lines.contains(&expected), "{expected} is missing in {said}");
    }
    assert!(said.contains("NoNewPrivs:\t1"), "{said}");
    pod.stop().unwrap();
}

fn layers(world: &World) {
    let pod = world.pod();
    let mut spec =
        world.container("main", "cat /opt/file; echo changed > /tmp/new; ls -ld / | cut -c1-10; touch /home/me/x");
    spec.uid = if world.mode == Mode::Root { 0 } else { 1000 };
    assert_eq!(run(&pod, &spec), (0, "from below\ndrwxr-xr-x\n".to_owned()));
    assert_eq!(text(&spec.scratch.join("upper/tmp/new")), "changed\n");
    assert!(!world.dir().join("image/tmp/new").exists());
    let owner = std::fs::metadata(spec.scratch.join("upper/tmp/new")).unwrap().uid();
    assert_eq!(owner, rustix::process::geteuid().as_raw(), "root of the pod is root on disk, or the owner");
    // Read-only on demand, with mount points still made.
    let mut spec = world.container("sealed", "touch /new && echo written; cat /deep/in/side; ls -d /work/here");
    spec.read_only_root = true;
    spec.cwd = "/work/here".into();
    let file = world.dir().join("some-file");
    std::fs::write(&file, "bound\n").unwrap();
    spec.mounts.push(bind(file.to_str().unwrap(), "/deep/in/side", true));
    let (code, said) = run(&pod, &spec);
    assert!(code == 0 && said.ends_with("bound\n/work/here\n") && !said.contains("written"), "{said}");
    pod.stop().unwrap();
}

fn exit_codes(world: &World) {
    let pod = world.pod();
    for (name, script, code, signal) in
        [("zero", "exit 0", 0, None), ("seven", "exit 7", 7, None), ("killed", "kill -TERM $$", 143, Some(15))]
    {
        pod.start_container(&world.container(name, script)).unwrap();
        let Ended { exit_code, signal: ended_by, out_of_memory, .. } = pod.wait(name).unwrap();
        assert_eq!((exit_code, ended_by, out_of_memory), (code, signal, false));
    }
    pod.start_container(&world.container("sleeper", "trap 'echo bye; exit 3' TERM; while :; do sleep 0.05; done"))
        .unwrap();
    eventually("the trap", || exec(&pod, &exec_spec("sleeper", "true")).0 == 0);
    std::thread::sleep(Duration::from_millis(100));
    pod.signal("sleeper", 15).unwrap();
    assert_eq!(pod.wait("sleeper").unwrap().exit_code, 3);
    assert!(said(&world.dir().join("log/sleeper.log")).contains("bye"));
    let recorded = PodSandbox::recorded(pod.dir()).unwrap();
    assert_eq!(recorded, {
        let mut all = pod.list().unwrap();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    });
    pod.forget("zero", 0).unwrap();
    assert_eq!(pod.list().unwrap().len(), 3);
    // A second attempt beside the first.
    let mut again = world.container("seven", "exit 8");
    again.attempt = 1;
    pod.start_container(&again).unwrap();
    assert_eq!(pod.wait("seven").unwrap().exit_code, 8);
    assert_eq!(pod.list().unwrap().iter().filter(|state| state.name == "seven").count(), 2);
    pod.stop().unwrap();
    assert_eq!(PodSandbox::recorded(pod.dir()).unwrap().len(), 4, "states outlive the pod");
}

fn cannot_run(world: &World) {
    let pod = world.pod();
    let mut spec = world.container("missing", "");
    spec.argv = vec!["no-such-program".to_owned()];
    match pod.start_container(&spec) {
        Err(SandboxError::Refused { step, errno, message }) => {
            assert_eq!((step.as_str(), errno), ("exec", 2), "{message}");
            assert!(message.contains("\"no-such-program\" in PATH=/usr/bin:/bin"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    spec.argv = vec!["/etc/passwd".to_owned()];
    assert!(matches!(pod.start_container(&spec), Err(SandboxError::Refused { errno: 13, .. })));
    spec.mounts.push(bind("/no/such/folder", "/x", true));
    match pod.start_container(&spec) {
        Err(SandboxError::Refused { message, .. }) => assert!(message.contains("/no/such/folder"), "{message}"),
        other => panic!("{other:?}"),
    }
    spec.name = "../escape".into();
    assert!(pod.start_container(&spec).is_err());
    assert!(pod.list().unwrap().is_empty());
    match pod.exec(&exec_spec("nobody", "true")) {
        Err(SandboxError::Refused { message, .. }) => assert!(message.contains("nobody")),
        other => panic!("{other:?}"),
    }
    pod.stop().unwrap();
}

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

fn share(world: &World) {
    let pod = world.pod();
    pod.start_container(&world.container("one", "exec sleep 1000")).unwrap();
    let (code, said) = run(&pod, &world.container("two", "cat /proc/*/comm | sort | uniq; hostname"));
    assert_eq!(code, 0);
    assert!(said.contains("sleep") && said.contains("emberyard-init") && said.contains("my-pod"), "{said}");
    assert!(!said.contains("real"), "nothing of the machine: {said}");
    pod.stop().unwrap();
}

fn exec_pipes(world: &World) {
    let pod = world.pod();
    pod.start_container(&world.container("main", "exec sleep 1000")).unwrap();
    let mut spec = exec_spec(
        "main",
        "echo out; echo err >&2; pwd; echo $GREETING $MORE; id -u; grep CapEff /proc/self/status; exit 4",
    );
    spec.env.push(("MORE".to_owned(), "more".to_owned()));
    let (code, out, err) = exec(&pod, &spec);
    assert_eq!((code, err.as_str()), (4, "err\n"));
    assert_eq!(out, "out\n/tmp\nhello more\n1000\nCapEff:\t0000000000000000\n");
    let mut spec = exec_spec("main", "cat; echo end");
    spec.stdin = true;
    let mut handle = pod.exec(&spec).unwrap();
    let mut input = std::fs::File::from(handle.stdin.take().unwrap());
    input.write_all(b"through the pipe\n").unwrap();
    assert_eq!(handle.wait(Some(Duration::from_millis(20))).unwrap(), None);
    drop(input);
    let mut out = String::new();
    std::fs::File::from(handle.stdout.try_clone().unwrap()).read_to_string(&mut out).unwrap();
    assert_eq!(out, "through the pipe\nend\n");
    assert_eq!(handle.wait(None).unwrap(), Some(0));
    match pod.exec(&exec_spec("main", "")).map(|mut handle| handle.wait(None)) {
        Ok(Ok(Some(0))) => {}
        other => panic!("{other:?}"),
    }
    let mut spec = exec_spec("main", "");
    spec.argv = vec!["nothing-here".to_owned()];
    assert!(matches!(pod.exec(&spec), Err(SandboxError::Refused { errno: 2, .. })));
    pod.stop().unwrap();
}

fn exec_terminal(world: &World) {
    let pod = world.pod();
    pod.start_container(&world.container("main", "exec sleep 1000")).unwrap();
    let mut spec = exec_spec("main", "tty; stty size; read line; echo got $line; stty size; exit 5");
    spec.stdin = true;
    spec.tty = Some(WindowSize { rows: 30, columns: 100 });
    let mut handle = pod.exec(&spec).unwrap();
    let mut terminal = std::fs::File::from(handle.stdout.try_clone().unwrap());
    let mut seen = String::new();
    let mut read_until = |wanted: &str, seen: &mut String| {
        let mut chunk = [0; 256];
        while !seen.contains(wanted) {
            match terminal.read(&mut chunk) {
                Ok(got) if got > 0 => seen.push_str(std::str::from_utf8(&chunk[..got]).unwrap()),
                _ => break,
            }
        }
    };
    read_until("30 100", &mut seen);
    assert!(seen.contains("/dev/pts/"), "{seen}");
    handle.resize(50, 120).unwrap();
    std::fs::File::from(handle.stdin.take().unwrap()).write_all(b"a line\n").unwrap();
    read_until("50 120", &mut seen);
    assert!(seen.contains("got a line"), "{seen}");
    assert_eq!(handle.wait(None).unwrap(), Some(5));
    pod.stop().unwrap();
}

fn exec_dropped(world: &World) {
    let pod = world.pod();
    pod.start_container(&world.container("main", "exec sleep 1000")).unwrap();
    let count = || exec(&pod, &exec_spec("main", "cat /proc/*/cmdline | tr '\\0' ' '")).1.matches("sleep 77").count();
    let handle = pod.exec(&exec_spec("main", "sleep 77; true")).unwrap();
    eventually("the command", || count() > 0);
    drop(handle);
    eventually("the command's end", || count() == 0);
    let mut handle = pod.exec(&exec_spec("main", "exec sleep 77")).unwrap();
    handle.signal(2).unwrap();
    assert_eq!(handle.wait(None).unwrap(), Some(130));
    pod.stop().unwrap();
}

fn attach(world: &World) {
    let pod = world.pod();
    let mut spec =
        world.container("reader", "while read line; do echo \"<$line>\"; echo \"!$line\" >&2; done; echo end");
    (spec.stdin, spec.stdin_once) = (true, true);
    pod.start_container(&spec).unwrap();
    let mut handle = pod.attach("reader").unwrap();
    let mut input = std::fs::File::from(handle.stdin.take().unwrap());
    input.write_all(b"one\ntwo\n").unwrap();
    drop(input);
    let read = |fd| {
        let mut text = String::new();
        std::fs::File::from(fd).read_to_string(&mut text).unwrap();
        text
    };
    assert_eq!(read(handle.stdout), "<one>\n<two>\nend\n");
    assert_eq!(read(handle.stderr.unwrap()), "!one\n!two\n");
    assert_eq!(pod.wait("reader").unwrap().exit_code, 0);
    assert!(said(&spec.log).contains("<two>"));
    let mut spec = world.container("terminal", "tty; read line; echo \"got $line\"");
    (spec.stdin, spec.tty) = (true, true);
    pod.start_container(&spec).unwrap();
    let mut handle = pod.attach("terminal").unwrap();
    std::fs::File::from(handle.stdin.take().unwrap()).write_all(b"text\n").unwrap();
    assert_eq!(pod.wait("terminal").unwrap().exit_code, 0);
    assert!(read(handle.stdout).contains("got text"));
    assert!(said(&spec.log).contains("/dev/pts/0") && handle.stderr.is_none());
    pod.stop().unwrap();
}

fn mounts(world: &World) {
    let pod = world.pod();
    let volume = world.sub("volume");
    std::fs::write(volume.join("file"), "content\n").unwrap();
    std::os::unix::fs::symlink("/etc", volume.join("out")).unwrap();
    let path = volume.to_str().unwrap();
    let mut spec = world.container(
        "main",
        "cat /ro/file; touch /ro/x 2>/dev/null || echo refused; cat /one-file; stat -f -c %T /mem; df -k --output=size /mem | tail -1 | tr -d ' '; touch /mem/x && echo mem; ls -d /sub; cat /etc/resolv.conf; stat -c %a /mem; mount | wc -l | grep -q .; \
         stat -c %U /etc/resolv.conf",
    );
    let hosts = world.dir().join("resolv");
    std::fs::write(&hosts, "nameserver 10.96.0.10\n").unwrap();
    spec.mounts.extend([
        bind(path, "/ro", true),
        bind(volume.join("file").to_str().unwrap(), "/one-file", true),
        MountSpec {
            target: "/mem".into(),
            source: MountSource::Tmpfs { size: Some(1 << 20), mode: 0o1777 },
            read_only: false,
        },
        MountSpec {
            target: "/sub".into(),
            source: MountSource::Bind { path: volume.clone(), sub_path: Some("made/below".into()), owner: Owner::Pod },
            read_only: false,
        },
        bind(hosts.to_str().unwrap(), "/etc/resolv.conf", true),
    ]);
    let (code, said) = run(&pod, &spec);
    let owner = if world.mode == Mode::Root { "root" } else { "me" };
    let expected = format!("content\nrefused\ncontent\ntmpfs\n1024\nmem\n/sub\nnameserver 10.96.0.10\n1777\n{owner}\n");
    assert_eq!((code, said), (0, expected));
    assert!(volume.join("made/below").is_dir());
    // A link in the volume leads nowhere but into the volume.
    let mut spec = world.container("escape", "ls /sub");
    spec.mounts.push(MountSpec {
        target: "/sub".into(),
        source: MountSource::Bind { path: volume.clone(), sub_path: Some("out".into()), owner: Owner::Pod },
        read_only: false,
    });
    match pod.start_container(&spec) {
        Ok(_) => {
            assert_eq!(pod.wait("escape").unwrap().exit_code, 0);
            assert_eq!(crate::world::said(&spec.log), "");
        }
        Err(SandboxError::Refused { .. }) => {}
        Err(other) => panic!("{other:?}"),
    }
    pod.stop().unwrap();
}

fn users_folder(world: &World) {
    let pod = world.pod();
    let folder = world.sub("folder");
    std::fs::write(folder.join("mine"), "mine").unwrap();
    let owner = if world.mode == Mode::Root { 4321 } else { rustix::process::geteuid().as_raw() };
    if world.mode == Mode::Root {
        for path in [folder.clone(), folder.join("mine")] {
            std::os::unix::fs::chown(path, Some(owner), Some(owner + 1)).unwrap();
        }
    }
    let mut spec = world
        .container("main", "stat -c '%u %g' /work /work/mine; echo more >> /work/mine; mkdir -p /work/new/deep; id -u");
    spec.mounts.push(MountSpec {
        target: "/work".into(),
        source: MountSource::Bind { path: folder.clone(), sub_path: None, owner: Owner::Folder },
        read_only: false,
    });
    assert_eq!(run(&pod, &spec), (0, "1000 1000\n1000 1000\n1000\n".to_owned()));
    assert_eq!(text(&folder.join("mine")), "minemore\n");
    for path in ["mine", "new", "new/deep"] {
        let meta = std::fs::metadata(folder.join(path)).unwrap();
        assert_eq!(meta.uid(), owner, "{path}");
        assert!(world.mode == Mode::Rootless || meta.gid() == owner + 1);
    }
    pod.stop().unwrap();
}

fn pod_root(world: &World) {
    let mut spec = world.pod_spec("pod");
    if world.mode == Mode::Rootless {
        spec.ids = IdMap::Single { uid: 0, gid: 0 };
    }
    let pod = start_pod(&world.node(), &spec).unwrap();
    let mut spec = world.container(
        "main",
        "id -u; grep CapEff /proc/self/status; mount -t tmpfs none /tmp 2>/dev/null || echo no-mount; hostname other 2>/dev/null || \
         echo no-hostname; umount /proc 2>/dev/null || echo no-umount; chown 55 /home/me 2>/dev/null && stat -c %u /home/me; \
         (echo 1 > /proc/sys/net/ipv4/ip_forward) 2>/dev/null || echo no-sysctl; \
         head -c1 /proc/1/exe >/dev/null 2>&1 || echo no-exe; cat /proc/1/environ 2>/dev/null || echo no-environ; \
         unshare -U true 2>/dev/null || echo no-userns; \
         [ -z \"$(cat /proc/1/cmdline | tr -d '\\0')\" ] && echo no-cmdline; sleep 0.2",
    );
    (spec.uid, spec.gid) = (0, 0);
    let state = pod.start_container(&spec).unwrap();
    let outside = std::fs::metadata(format!("/proc/{}", state.process.pid)).unwrap().uid();
    match world.mode {
        Mode::Root => assert!(outside >= IdMap::FIRST_BASE, "{outside}"),
        Mode::Rootless => assert_eq!(outside, rustix::process::geteuid().as_raw()),
    }
    assert_eq!(pod.wait("main").unwrap().exit_code, 0);
    let said = said(&spec.log);
    assert!(said.starts_with("0\nCapEff:\t"), "{said}");
    for refused in
        ["no-mount", "no-hostname", "no-umount", "no-sysctl", "no-exe", "no-environ", "no-cmdline", "no-userns"]
    {
        assert!(said.contains(refused), "{refused}: {said}");
    }
    assert_eq!(said.contains("55"), world.mode == Mode::Root, "{said}");
    pod.stop().unwrap();
}

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
    }
    pod.stop().unwrap();
}

fn rest_dies(world: &World) {
    let pod = world.pod();
    pod.start_container(&world.container("other", "exec sleep 1000")).unwrap();
    pod.start_container(&world.container("main", "setsid sleep 88 & exit 0")).unwrap();
    assert_eq!(pod.wait("main").unwrap().exit_code, 0);
    let list = || exec(&pod, &exec_spec("other", "cat /proc/*/cmdline | tr '\\0' ' '")).1;
    eventually("the rest's end", || !list().contains("sleep 88"));
    assert!(list().contains("sleep 1000"));
    let mut again = world.container("main", "setsid sleep 99 & exec sleep 99");
    again.attempt = 1;
    pod.start_container(&again).unwrap();
    pod.kill_container("main").unwrap();
    assert_eq!(pod.wait("main").unwrap().exit_code, 137);
    eventually("the rest's end", || !list().contains("sleep 99"));
    pod.stop().unwrap();
}

fn much_output(world: &World) {
    let pod = world.pod();
    let spec = world.container("main", "head -c 30000000 /dev/zero | tr '\\0' 'y' | fold -w 99; echo last");
    pod.start_container(&spec).unwrap();
    assert_eq!(pod.wait("main").unwrap().exit_code, 0);
    let older = spec.log.with_extension("log.1");
    let sizes: Vec<u64> = [&spec.log, &older].map(|path| std::fs::metadata(path).unwrap().len()).into();
    assert!(sizes.iter().all(|size| *size <= 10 << 20), "{sizes:?}");
    assert!(said(&spec.log).ends_with("last\n"));
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

fn not_mapped(world: &World) {
    let pod = world.pod();
    let mut spec = world.container("main", "ls -d /kernel/mm");
    spec.mounts.push(bind("/sys/kernel", "/kernel", true));
    let state = pod.start_container(&spec).unwrap();
    assert_eq!(pod.wait("main").unwrap().exit_code, 0);
    let said = state.notes.iter().any(|note| note.contains("/sys/kernel") && note.contains("id-mapped"));
    assert_eq!(said, world.mode == Mode::Root, "{:?}", state.notes);
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
