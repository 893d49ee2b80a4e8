//! Layers and mounts.

use crate::Test;
use crate::world::{World, bind, run, text};
use emberyard_sandbox::{Mode, MountSource, MountSpec, Owner, SandboxError};
use std::os::unix::fs::MetadataExt;

pub const TESTS: &[Test] = &[
    ("layers_are_merged_and_kept", layers),
    ("mounts", mounts),
    ("the_users_folder_keeps_its_owner", users_folder),
    ("what_cannot_be_id_mapped_is_said", not_mapped),
];

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
