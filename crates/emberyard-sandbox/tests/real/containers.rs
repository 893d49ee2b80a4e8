//! Containers: what they see, how they end.

use crate::Test;
use crate::world::{World, bind, eventually, exec, exec_spec, run, said};
use emberyard_sandbox::{Ended, IdMap, Mode, PodSandbox, SandboxError, start_pod};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("a_container_sees_its_own_world", own_world),
    ("exit_codes_and_signals", exit_codes),
    ("programs_that_cannot_run", cannot_run),
    ("containers_of_a_pod_share", share),
    ("the_rest_of_a_container_dies_with_it", rest_dies),
    ("much_output", much_output),
    ("root_in_a_pod_is_nobody_outside", pod_root),
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

fn share(world: &World) {
    let pod = world.pod();
    pod.start_container(&world.container("one", "exec sleep 1000")).unwrap();
    let (code, said) = run(&pod, &world.container("two", "cat /proc/*/comm | sort | uniq; hostname"));
    assert_eq!(code, 0);
    assert!(said.contains("sleep") && said.contains("emberyard-init") && said.contains("my-pod"), "{said}");
    assert!(!said.contains("real"), "nothing of the machine: {said}");
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
