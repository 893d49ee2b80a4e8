//! An HDFS of one NameNode: as good as its disk.

use super::hdfs::in_client;
use crate::yard::{Yard, text};
use std::collections::BTreeSet;
use std::time::Duration;

const NAME_NODE: &str = "small-namenode-0";
const WORK: &str = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\nsc = spark.sparkContext\n\
    sc.parallelize(range(1000), 2).saveAsTextFile('hdfs://small/user/hdfs/test/numbers')\n\
    host = 'small-namenode-0.small-namenode.default.svc.cluster.local'\n\
    for name in ('small', 'hdfs-k8s', host):\n    \
    print('counted', sc.textFile(f'hdfs://{name}/user/hdfs/test/numbers').count())\nspark.stop()\n";

/// What lies in the tutorial's folder.
fn listed(yard: &Yard) -> String {
    let output = in_client(yard, "small", &["hdfs", "dfs", "-ls", "/user/hdfs/test"]);
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn create(yard: &Yard, more: &[&str]) -> String {
    text(&yard.emberyard(&[&["hdfs", "create", "small"], more].concat()))
}

/// The fleet may have four nodes and has two: a third one comes for the third DataNode.
fn each_data_node_has_a_node(yard: &Yard) {
    let places = "jsonpath={range .items[*]}{.spec.nodeName}{'\\n'}{end}";
    let nodes = yard.kubectl_ok(&["get", "pods", "-l", "app=hdfs-datanode,release=small", "-o", places]);
    assert_eq!(nodes.lines().collect::<BTreeSet<_>>().len(), 3, "{nodes}");
    assert_eq!(yard.kubectl_ok(&["get", "nodes", "-o", "name"]).lines().count(), 3);
    let spread = "jsonpath={.status.conditions[?(@.type=='Spread')].message}";
    let said = yard.kubectl_ok(&["get", "hdfscluster", "small", "-o", spread]);
    assert!(said.contains("the death of a node takes one of 3"), "{said}");
}

/// What no fleet of this yard can hold is refused; what runs goes on.
fn too_large_a_change_is_refused(yard: &Yard) {
    let data_nodes = |count: u32| {
        let spec = format!(r#"{{"spec": {{"dataNodes": {count}}}}}"#);
        yard.kubectl_ok(&["patch", "hdfscluster", "small", "--type", "merge", "-p", &spec]);
    };
    let status = |wanted: &str| {
        yard.until(wanted, Duration::from_secs(60), || {
            let status = text(&yard.emberyard(&["status"]));
            if status.contains(wanted) { Ok(()) } else { Err(status) }
        });
    };
    data_nodes(1000);
    status("it would never be whole: its pods ask for cpu ");
    assert!(listed(yard).contains("numbers"));
    data_nodes(3);
    status("small Ready hdfs://small");
}

/// What a pod of a namespace prints that tries to reach the NameNode.
fn tries(yard: &Yard, namespace: &str, name: &str, script: &str) -> String {
    let reach = "reach() { timeout 3 bash -c 'exec 3<> /dev/tcp/small-namenode.default.svc.cluster.local/50070'; }";
    let script = format!("{reach}; {script}");
    let words = ["run", name, "--image=hdfs", "--restart=Never", "--command", "--", "bash", "-c", &script];
    yard.kubectl_ok(&[&["-n", namespace], &words[..]].concat());
    yard.until("it has tried", Duration::from_secs(60), || {
        let phase = yard.kubectl_ok(&["-n", namespace, "get", "pod", name, "-o", "jsonpath={.status.phase}"]);
        if phase == "Succeeded" { Ok(()) } else { Err(phase) }
    });
    yard.kubectl_ok(&["-n", namespace, "logs", name])
}

/// Whoever reaches it is trusted, so only its own namespace does, and those that it is told of.
fn strangers_are_kept_out(yard: &Yard) {
    let once = "reach && echo reached || echo kept out";
    yard.kubectl_ok(&["create", "namespace", "strangers"]);
    let own = tries(yard, "default", "own", once);
    let stranger = tries(yard, "strangers", "stranger", once);
    assert!(own.ends_with("reached\n") && stranger.ends_with("kept out\n"), "{own} {stranger}");
    let clients = r#"{"spec": {"clientNamespaces": ["strangers"]}}"#;
    yard.kubectl_ok(&["patch", "hdfscluster", "small", "--type", "merge", "-p", clients]);
    assert!(tries(yard, "strangers", "friend", "until reach; do :; done; echo reached").ends_with("reached\n"));
    let isolated = "jsonpath={.status.conditions[?(@.type=='Isolated')].message}";
    yard.until("its status says who reaches it", Duration::from_secs(30), || {
        let said = yard.kubectl_ok(&["get", "hdfscluster", "small", "-o", isolated]);
        if said.starts_with("Only pods of default, strangers reach it") { Ok(()) } else { Err(said) }
    });
}

/// What a session writes is its owner's: the one who made the yard, or of the image where the machine has no name for them.
fn a_session_is_its_owner(yard: &Yard) {
    let asked = std::process::Command::new("id").arg("-un").output().unwrap();
    let named = String::from_utf8(asked.stdout).unwrap();
    let owner = if asked.status.success() { named.trim() } else { "emberyard" };
    let said = in_client(yard, "small", &["hdfs", "dfs", "-stat", "%u", "/user/hdfs/test/numbers/part-00000"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), owner, "{}", text(&said));
}

/// One of a DataNode's two volumes fails: it serves on with the other, and what lay there is copied again.
fn a_volume_fails(yard: &Yard) {
    let whole = |wanted: &str| {
        yard.until(wanted, Duration::from_secs(120), || {
            // A disk is looked at by who can't use it.
            let put = "head -c 100000 /dev/zero | hdfs dfs -put -f - /user/hdfs/test/more";
            let ask = ". /etc/hdfs/ask.sh; bean \"$NAME_NODE_0\" FSNamesystemState; bean \"$NAME_NODE_0\" FSNamesystem";
            let said = text(&in_client(yard, "small", &["bash", "-c", &format!("{put}; {ask}")]));
            let all = [wanted, "\"UnderReplicatedBlocks\" : 0,", "\"MissingBlocks\" : 0,", "\"NumLiveDataNodes\" : 3,"];
            if all.iter().all(|one| said.contains(one)) { Ok(()) } else { Err(said) }
        });
    };
    let mode = |mode: &str| {
        yard.kubectl_ok(&["exec", "small-datanode-2", "--", "chmod", mode, "/data-1/blocks/current"]);
    };
    mode("0");
    whole("\"VolumeFailuresTotal\" : 1,");
    assert!(listed(yard).contains("numbers"));
    mode("755");
    yard.kubectl_ok(&["delete", "pod", "small-datanode-2"]);
    whole("\"VolumeFailuresTotal\" : 0,");
}

#[test]
fn one_name_node_serves_and_is_never_formatted_twice() {
    let yard = Yard::up(&[]);
    let small = ["--name-nodes", "1", "--data-nodes", "3", "--disks", "2"];
    let made = create(&yard, &small);
    assert!(made.contains("hdfs://small"), "{made}\n{}", yard.logs());
    assert_eq!(yard.kubectl_ok(&["get", "pods", "-l", "release=small", "-o", "name"]).lines().count(), 5);
    each_data_node_has_a_node(&yard);
    let used = ["ls", "/data/blocks/current/VERSION", "/data-1/blocks/current/VERSION"];
    yard.kubectl_ok(&[&["exec", "small-datanode-2", "--"], &used[..]].concat());
    assert_eq!(yard.run(WORK).matches("counted 1000").count(), 3);
    a_session_is_its_owner(&yard);
    too_large_a_change_is_refused(&yard);
    strangers_are_kept_out(&yard);
    a_volume_fails(&yard);

    // Its death is the pause of its restart.
    yard.kubectl_ok(&["delete", "pod", NAME_NODE, "--grace-period=0", "--force"]);
    assert!(listed(&yard).contains("numbers"));

    // Its number stays, also where an HDFS of its name was deleted.
    let two = ["patch", "hdfscluster", "small", "--type", "merge", "-p", r#"{"spec": {"nameNodes": 2}}"#];
    assert!(text(&yard.kubectl(&two)).contains("EY-HDF-005"));
    assert!(create(&yard, &["--name-nodes", "2"]).contains("it is there already, with another spec"));
    yard.emberyard(&["hdfs", "delete", "small"]);
    assert!(create(&yard, &[]).contains("spec.nameNodes is 2, and its volumes are those of 1"));
    yard.emberyard(&["hdfs", "delete", "small"]);
    create(&yard, &small);
    assert!(listed(&yard).contains("numbers"));

    // Its volume is lost: nothing pretends to be this HDFS.
    yard.kubectl_ok(&["delete", "pvc", "data-small-namenode-0", "--wait=false"]);
    yard.kubectl_ok(&["delete", "pod", NAME_NODE]);
    yard.until("it says what is lost", Duration::from_secs(60), || {
        let said = text(&yard.kubectl(&["logs", NAME_NODE, "-c", "store"]));
        if said.contains("there is no other to copy from") { Ok(()) } else { Err(said) }
    });
    yard.down();
}
