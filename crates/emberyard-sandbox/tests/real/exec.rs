//! Commands in running containers, and attaching to them.

use crate::Test;
use crate::world::{World, eventually, exec, exec_spec, said};
use emberyard_sandbox::{SandboxError, WindowSize};
use std::io::{Read, Write};
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("exec_with_pipes", exec_pipes),
    ("exec_with_a_terminal", exec_terminal),
    ("a_dropped_exec_is_killed", exec_dropped),
    ("attach_and_stdin", attach),
];

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
