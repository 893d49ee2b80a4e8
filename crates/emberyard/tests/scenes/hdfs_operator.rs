//! An HDFS whose operator is killed while it makes it, changes it and deletes it: samples with real daemons of what a test of
//! emberyard-operator plays for every single write.

use super::hdfs::in_client;
use crate::yard::{Yard, kill, text};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

const FILE: &str = "/user/hdfs/test/kept";

/// The real kubectl that watches the HDFS's ConfigMaps, which the operator writes before everything else.
struct Watch {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    /// Begins to watch; what is there already is told first.
    fn begin(yard: &Yard, there: usize) -> Self {
        let words = ["get", "configmaps", "-l", "release=small", "--watch", "-o", "name"];
        let mut child = yard.kubectl_command(&words).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut watch = Self { child, lines };
        (0..there).for_each(|_| watch.wait());
        watch
    }

    /// Returns as soon as the next is written.
    fn wait(&mut self) {
        let line = self.lines.next().unwrap().unwrap();
        assert!(line.starts_with("configmap/small-"), "{line}");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ready(yard: &Yard) {
    yard.until("the HDFS is whole", Duration::from_secs(120), || {
        let of_it = "jsonpath={.status.phase} {.status.conditions[?(@.type=='UpToDate')].status} {.status.observedGeneration}\
            {.metadata.generation}";
        let said = text(&yard.kubectl(&["get", "hdfscluster", "small", "-o", of_it]));
        let same = said.strip_prefix("Ready True ").is_some_and(|rest| rest == "11" || rest == "22");
        if same { Ok(()) } else { Err(said) }
    });
}

fn kept(yard: &Yard) {
    let output = in_client(yard, "small", &["hdfs", "dfs", "-cat", FILE]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "kept", "{}", text(&output));
}

#[test]
fn an_operator_that_is_killed_is_followed_by_one_that_finishes() {
    let yard = Yard::up(&["--notebook", "none"]);
    let create = || {
        let created = yard.emberyard(&["hdfs", "create", "small", "--name-nodes", "1", "--data-nodes", "2"]);
        assert!(created.status.success(), "{}\n{}", text(&created), yard.logs());
    };
    // Made: killed after the first object.
    std::thread::scope(|scope| {
        let mut watch = Watch::begin(&yard, 0);
        let made = scope.spawn(create);
        watch.wait();
        kill(&yard.process("operator"));
        made.join().unwrap();
    });
    ready(&yard);
    let written = in_client(&yard, "small", &["sh", "-c", &format!("echo kept | hdfs dfs -put - {FILE}")]);
    assert!(written.status.success(), "{}", text(&written));

    // Changed: killed when the new configuration is there, before all have it.
    let mut watch = Watch::begin(&yard, 3);
    yard.kubectl_ok(&["patch", "hdfscluster", "small", "--type=merge", "-p", r#"{"spec":{"replication":1}}"#]);
    watch.wait();
    kill(&yard.process("operator"));
    drop(watch);
    ready(&yard);
    // The client's pod is a deployment's: its successor is there before it goes.
    yard.until("clients know it", Duration::from_secs(60), || {
        let said = in_client(&yard, "small", &["hdfs", "getconf", "-confKey", "dfs.replication"]);
        if String::from_utf8_lossy(&said.stdout).trim() == "1" { Ok(()) } else { Err(text(&said)) }
    });
    kept(&yard);

    // Deleted while there is none, and made again with what is on its volumes.
    kill(&yard.process("operator"));
    let deleted = yard.emberyard(&["hdfs", "delete", "small"]);
    assert!(deleted.status.success(), "{}", text(&deleted));
    yard.until("its pods are gone", Duration::from_secs(60), || {
        let pods = yard.kubectl_ok(&["get", "pods", "-l", "release=small", "-o", "name"]);
        if pods.is_empty() { Ok(()) } else { Err(pods) }
    });
    create();
    ready(&yard);
    kept(&yard);
    yard.down();
}
