//! `kubectl port-forward` to a plain pod: bytes both ways, ends, refusals, and what becomes of it when the pod goes.

use crate::yard::forward::Forward;
use crate::yard::{Yard, owners};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

const SERVERS: &str = include_str!("forward.py");
/// A few megabytes that repeat nowhere near.
const LENGTH: u32 = 1 << 20;
const ECHO: u16 = 7000;
const LATER: u16 = 7001;
const FLOOD: u16 = 7002;
const NOBODY: u16 = 7009;

fn bytes() -> Vec<u8> {
    (0..LENGTH).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()).collect()
}

fn deployed(yard: &Yard) {
    let labels = serde_json::json!({"app": "servers"});
    let container = serde_json::json!({
        "name": "python", "image": "spark-py", "command": ["python3", "-c", SERVERS],
        "readinessProbe": {"exec": {"command": ["python3", "-c", "import socket\nsocket.create_connection(('127.0.0.1', 7000))"]},
            "periodSeconds": 1},
    });
    let deployment = serde_json::json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "servers"}, "spec": {
            "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}}});
    let service = serde_json::json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "servers"},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": ECHO}]}});
    let file = yard.files.join("servers.yaml");
    std::fs::write(&file, format!("{deployment}\n---\n{service}\n")).unwrap();
    yard.kubectl_ok(&["apply", "-f", &file.display().to_string()]);
    yard.kubectl_ok(&["wait", "--for=condition=Available", "deployment/servers", "--timeout=120s"]);
}

/// Sends all, reads all, half-closed in between.
fn exchange(mut stream: TcpStream, bytes: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    std::thread::scope(|scope| {
        let mut writing = stream.try_clone().unwrap();
        scope.spawn(move || {
            writing.write_all(bytes).unwrap();
            writing.shutdown(Shutdown::Write).unwrap();
        });
        stream.read_to_end(&mut read).unwrap();
    });
    read
}

fn same(forward: &Forward) {
    let bytes = bytes();
    assert!(exchange(forward.connect(0), &bytes) == bytes, "what came back is not what was sent");
    assert!(exchange(forward.connect(1), &bytes) == bytes, "an answer after the client's own end");
    // Several at once, beside one that is not read.
    let mut lazy = forward.connect(2);
    lazy.read_exact(&mut [0]).unwrap();
    drop(lazy);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert!(exchange(forward.connect(0), &bytes[..1 << 20]) == bytes[..1 << 20]));
        }
    });
}

fn journey(yard: &Yard) {
    deployed(yard);
    let forward = Forward::start(yard, "deployment/servers", &[ECHO, LATER, FLOOD]);
    same(&forward);
    // It does say that its own client, which read no more, broke off.
    assert!(!forward.errors().contains("an error occurred forwarding"), "{}", forward.errors());
    let plain = [("KUBECTL_PORT_FORWARD_WEBSOCKETS", "false")];
    let plain = Forward::start_with(yard, "deployment/servers", &[ECHO, LATER, FLOOD], &plain);
    same(&plain);
    let service = Forward::start(yard, "service/servers", &[80]);
    assert_eq!(exchange(service.connect(0), b"hello"), b"hello");

    let mut refused = Forward::start(yard, "deployment/servers", &[NOBODY]);
    assert_eq!(exchange(refused.connect(0), b""), b"");
    yard.until("kubectl is told", Duration::from_secs(10), || {
        if refused.has_ended() { Ok(()) } else { Err(refused.errors()) }
    });
    assert!(refused.errors().contains("dial tcp4 127.0.0.1:7009: connect: connection refused"), "{}", refused.errors());

    // A connection is open when the pod goes.
    let mut forward = forward;
    let mut open = forward.connect(0);
    open.write_all(b"a").unwrap();
    open.read_exact(&mut [0]).unwrap();
    yard.kubectl_ok(&["delete", "deployment", "servers"]);
    assert_eq!(open.read(&mut [0]).unwrap_or(0), 0, "the stream ends with the pod");
    yard.until("kubectl ends", Duration::from_secs(20), || {
        if forward.has_ended() { Ok(()) } else { Err(forward.errors()) }
    });
}

#[test]
fn ports_of_a_pod_are_forwarded_with_and_without_root() {
    for owner in owners() {
        let yard = Yard::up_as(owner, &["--notebook", "none"]);
        journey(&yard);
        yard.down();
    }
}
