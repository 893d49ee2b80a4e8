//! Commands in a root of their own, and what the machine offers.

use crate::Test;
use crate::world::{World, bind, eventually};
use emberyard_sandbox::{Mode, Root, RunSpec, SandboxError, probe, run_in_root, start_in_root};
use std::os::unix::fs::MetadataExt;

pub const TESTS: &[Test] = &[
    ("a_command_runs_in_a_folder", in_folder),
    ("a_command_runs_on_layers", on_layers),
    ("a_dropped_run_is_killed", dropped),
    ("a_run_that_cannot_start", cannot_start),
    ("the_probe_fits_the_machine", probed),
];

fn spec(world: &World, script: &str) -> RunSpec {
    let container = world.container("image", "");
    RunSpec {
        root: Root::Folder(container.lowers[0].clone()),
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: vec![("PATH".to_owned(), "/usr/bin".to_owned())],
        cwd: "/".into(),
        mounts: vec![bind("/usr", "/usr", true)],
        host_network_files: true,
    }
}

fn run(spec: &RunSpec) -> (i32, Vec<String>) {
    let mut lines = Vec::new();
    let status = run_in_root(spec, &mut |line| lines.push(line.to_owned())).unwrap();
    (status.code, lines)
}

fn in_folder(world: &World) {
    let script = "id -u; echo made > /etc/made; echo err >&2; ls /; cat /proc/1/comm > /dev/null && ls /proc | grep -c '^[0-9]'; \
                  [ -s /etc/resolv.conf ] && echo resolv; head -c 1 $SSL_CERT_FILE > /dev/null && echo ca; \
                  readlink /proc/self/ns/net; kill -9 $$";
    let spec = spec(world, script);
    let Root::Folder(root) = &spec.root else { unreachable!() };
    let before = names(root);
    let (code, lines) = run(&spec);
    assert_eq!(code, 137, "{lines:?}");
    assert_eq!(lines[..2], ["0", "err"].map(str::to_owned));
    for expected in ["resolv", "ca", std::fs::read_link("/proc/self/ns/net").unwrap().to_str().unwrap()] {
        assert!(lines.iter().any(|line| line == expected), "{expected}: {lines:?}");
    }
    assert!(!lines.contains(&"root".to_owned()), "nothing of the machine: {lines:?}");
    let made = root.join("etc/made");
    assert_eq!(std::fs::read_to_string(&made).unwrap(), "made\n");
    assert_eq!(made.metadata().unwrap().uid(), rustix::process::geteuid().as_raw());
    assert_eq!(names(root), before, "no mount point is left");
    assert!(!root.join("etc/resolv.conf").exists());
}

fn names(folder: &std::path::Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

fn on_layers(world: &World) {
    let container = world.container("image", "");
    let scratch = world.dir().join("build");
    let mut spec = spec(world, "cat /opt/file; echo new > /opt/new; rm /opt/file; exit 3");
    spec.root = Root::Layers { lowers: container.lowers, scratch: scratch.clone() };
    assert_eq!(run(&spec), (3, vec!["from below".to_owned()]));
    assert_eq!(names(&scratch.join("upper")), ["opt"]);
    assert!(scratch.join("upper/opt/new").exists());
    // Once more on top of what the first one changed.
    spec.argv[2] = "cat /opt/new; cat /opt/file 2>/dev/null || echo gone; seq 1 20000 | tail -1".into();
    assert_eq!(run(&spec).1, ["new", "gone", "20000"]);
}

fn dropped(world: &World) {
    let spec = spec(world, "echo started; setsid sleep 4242 & sleep 4242");
    let mut running = start_in_root(&spec).unwrap();
    assert_eq!(running.next_line().unwrap().as_deref(), Some("started"));
    let sleeping = || {
        std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .any(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == b"sleep\x004242\0"))
    };
    eventually("the command", sleeping);
    drop(running);
    assert!(!sleeping());
}

fn cannot_start(world: &World) {
    let mut spec = spec(world, "");
    spec.argv = vec!["/usr/bin/no-such-program".to_owned()];
    match run_in_root(&spec, &mut |_| {}) {
        Err(SandboxError::Refused { step, errno, .. }) => assert_eq!((step.as_str(), errno), ("exec", 2)),
        other => panic!("{other:?}"),
    }
    spec.root = Root::Folder("/no/such/root".into());
    match run_in_root(&spec, &mut |_| {}) {
        Err(SandboxError::Refused { message, .. }) => assert!(message.contains("/no/such/root"), "{message}"),
        other => panic!("{other:?}"),
    }
}

fn probed(world: &World) {
    let found = probe(&world.dir()).unwrap();
    println!("  {found:?}");
    // The other tests just did it all.
    assert_eq!(found.mode(), Some(world.mode));
    assert_eq!(found.root.works(), world.mode == Mode::Root);
    assert_eq!(names(&world.dir()), Vec::<std::ffi::OsString>::new(), "nothing is left");
}
