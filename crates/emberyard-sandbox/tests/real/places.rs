//! Sockets and programs inside the yard's and a node's network.

use crate::Test;
use crate::world::{World, eventually, text};
use emberyard_sandbox::{Command, Place, SandboxError, SocketSpec, netns_of, open_in, spawn_in};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("sockets_are_opened_in_a_place", sockets),
    ("a_program_runs_in_a_place", program),
    ("a_program_that_cannot_run_is_said", refused),
];

fn shell(script: &str, world: &World, fds: Vec<OwnedFd>) -> Command {
    Command {
        argv: ["/bin/sh", "-c", script].map(Into::into).to_vec(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into()), ("ONE".into(), "1".into())],
        fds,
        log: world.dir().join("log"),
        cwd: "/".into(),
    }
}

fn sockets(world: &World) {
    let (node, yard) = (world.node(), world.yard());
    let in_yard = Place::from(&yard);
    let wanted = [
        SocketSpec::Tcp("127.0.0.1:443".parse().unwrap()),
        SocketSpec::Udp("0.0.0.0:53".parse().unwrap()),
        SocketSpec::NetlinkRoute,
        SocketSpec::NetlinkNetfilter,
    ];
    let mut opened = open_in(&in_yard, &wanted).unwrap();
    assert_eq!(opened.len(), 4);
    let listener = TcpListener::from(opened.remove(0));
    assert_eq!(listener.local_addr().unwrap().to_string(), "127.0.0.1:443");
    assert!(TcpStream::connect("127.0.0.1:443").is_err(), "not on the machine's side");
    // The same port once more in the node, which has a network of its own; taken in the yard.
    assert!(open_in(&Place::from(&node), &wanted[..1]).is_ok());
    match open_in(&in_yard, &wanted[..1]) {
        Err(SandboxError::Refused { step, .. }) => assert_eq!(step, "bind"),
        other => panic!("{other:?}"),
    }
    assert!(netns_of(&in_yard).is_ok());
    node.kill().unwrap();
    yard.kill().unwrap();
}

fn program(world: &World) {
    let (node, yard) = (world.node(), world.yard());
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let script = "echo to-the-pipe >&4; cat /proc/net/dev; env; readlink /proc/self/ns/net; id -u; sleep 0.1; exit 7";
    let listener =
        open_in(&Place::from(&node), &[SocketSpec::Tcp("127.0.0.1:8080".parse().unwrap())]).unwrap().remove(0);
    let child = spawn_in(&Place::from(&node), shell(script, world, vec![listener, writer])).unwrap();
    assert!(child.process.is_alive());
    assert_eq!(child.wait(Some(Duration::ZERO)).unwrap(), None);
    assert_eq!(child.wait(None).unwrap(), Some(7));
    let mut said = String::new();
    std::fs::File::from(reader).read_to_string(&mut said).unwrap();
    assert_eq!(said, "to-the-pipe\n");
    let log = text(&world.dir().join("log"));
    let network = std::fs::read_link(format!("/proc/{}/ns/net", node.process.pid)).unwrap();
    assert!(log.contains(network.to_str().unwrap()), "{log}");
    assert!(log.contains("ONE=1") && !log.contains("EMBERYARD"), "{log}");
    assert!(log.ends_with("0\n"), "root of the place: {log}");
    let mode = std::fs::metadata(world.dir().join("log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Nothing else is handed on, and it leads a session of its own.
    let script = "ls /proc/self/fd; exec sleep 60";
    let child = spawn_in(&Place::from(&yard), shell(script, world, vec![])).unwrap();
    eventually("the listing", || text(&world.dir().join("log")).contains("3\n"));
    let listing = text(&world.dir().join("log")).rsplit("0\n0\n").next().unwrap().to_owned();
    assert_eq!(listing, "1\n2\n3\n", "only the listing's own descriptor beside the standard ones");
    child.process.kill().unwrap();
    assert_eq!(child.wait(None).unwrap(), Some(137));
    node.kill().unwrap();
    yard.kill().unwrap();
}

fn refused(world: &World) {
    let yard = world.yard();
    let mut command = shell("", world, vec![]);
    command.argv[0] = "/no/such/program".into();
    match spawn_in(&Place::from(&yard), command) {
        Err(SandboxError::Refused { step, message, errno }) => {
            assert_eq!((step.as_str(), errno), ("exec", 2));
            assert!(message.contains("/no/such/program"));
        }
        other => panic!("{other:?}"),
    }
    yard.kill().unwrap();
    assert!(matches!(spawn_in(&Place::from(&yard), shell("", world, vec![])), Err(SandboxError::Refused { .. })));
    let _flushed = std::io::stdout().flush();
}
