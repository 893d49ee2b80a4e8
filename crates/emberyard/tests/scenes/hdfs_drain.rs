//! Nodes with DataNodes of an HDFS are drained: blocks are handed over first, and where they could be nowhere else, the node
//! keeps them.

use super::hdfs::{STEADY, client, create, in_client, ready, working};
use crate::yard::{Yard, text};
use emberyard_model::Timestamp;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

/// What the NameNode says of closed files' blocks, if one could be asked that knows them, and the addresses of DataNodes that
/// run afterwards: the client's pod moves, too.
fn blocks(yard: &Yard) -> (Option<String>, Vec<String>) {
    // Which NameNode was asked stands on standard error.
    let blocks = text(&in_client(yard, "my-hdfs", &["hdfs", "fsck", "/user", "-files", "-blocks", "-locations"]));
    let running = "jsonpath={range .items[?(@.status.phase=='Running')]}[{.status.podIP}:{end}";
    let running = yard.kubectl_ok(&["get", "pods", "-l", "app=hdfs-datanode,release=my-hdfs", "-o", running]);
    let is_answer = blocks.contains("Status: ") && knows_all(yard, &blocks);
    (is_answer.then_some(blocks), running.split_inclusive(':').map(str::to_owned).collect())
}

/// Whether the NameNode that said this has run for a while: one that has just started, and leads at once, knows each block
/// from the first DataNode that reported it, and not yet from the others.
fn knows_all(yard: &Yard, said: &str) -> bool {
    let Some(number) = [0, 1].into_iter().find(|number| said.contains(&format!("http://my-hdfs-namenode-{number}.")))
    else {
        return false;
    };
    let pod = format!("my-hdfs-namenode-{number}");
    let start = "jsonpath={.status.containerStatuses[?(@.name=='namenode')].state.running.startedAt}";
    let started = yard.kubectl(&["get", "pod", &pod, "-o", start]);
    let started = Timestamp::parse(&String::from_utf8_lossy(&started.stdout));
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    started.is_ok_and(|started| now > Duration::from_micros(started.0.unsigned_abs()) + Duration::from_secs(20))
}

/// The lines of an answer that name a block and where its copies are. Others say in words what it lacks.
fn block_lines(blocks: &str) -> impl Iterator<Item = &str> {
    blocks.lines().filter(|line| line.contains("blk_") && line.contains(" len="))
}

/// The block that has too few copies of those on DataNodes that ran when it was asked for. One that the answer before did not
/// know may have been closed this moment, which takes the word of one DataNode: those of the others are on their way.
fn lacking(blocks: &str, before: &str, addresses: &BTreeSet<String>, wanted: usize) -> Option<String> {
    let copies = |line: &str| addresses.iter().filter(|address| line.contains(*address)).count();
    let id = |line: &str| line.split_whitespace().nth(1).map(str::to_owned);
    let known: BTreeSet<_> = block_lines(before).filter_map(id).collect();
    let line =
        block_lines(blocks).find(|line| copies(line) < wanted && id(line).is_some_and(|id| known.contains(&id)))?;
    Some(format!("a block has too few copies that can be read: {line}; {addresses:?} run or ran just now\n{blocks}"))
}

/// A node on which DataNodes run, and the notebook does not.
fn with_data_nodes(yard: &Yard) -> String {
    let home = yard.kubectl_ok(&["get", "pod", "my-pyspark-notebook-0", "-o", "jsonpath={.spec.nodeName}"]);
    let places = "jsonpath={range .items[?(@.status.phase=='Running')]}{.spec.nodeName}{'\\n'}{end}";
    let nodes = yard.kubectl_ok(&["get", "pods", "-l", "app=hdfs-datanode,release=my-hdfs", "-o", places]);
    nodes.lines().find(|node| *node != home).unwrap().to_owned()
}

/// A node with DataNodes is drained while Spark works: no block has fewer copies than wanted at any time, and the NameNode that
/// stays serves all the while, although two JournalNodes may be on the node, too.
pub fn drained(yard: &Yard, copies: usize, name: &str) {
    let node = &with_data_nodes(yard);
    // Both have run for long enough to be asked: whoever leads while the node is emptied can be believed.
    yard.until("the NameNodes know all blocks", Duration::from_secs(60), || {
        let knows = |number: u32| knows_all(yard, &format!("http://my-hdfs-namenode-{number}."));
        if knows(0) && knows(1) { Ok(()) } else { Err("one has just started".to_owned()) }
    });
    let session = working(yard, STEADY, name);
    let deaths = "jsonpath={range .items[*]}{.spec.nodeName} {.status.containerStatuses[*].restartCount}{'\\n'}{end}";
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| yard.emberyard(&["node", "drain", node]));
        let (mut said_before, mut before) = blocks(yard);
        let mut looks = 0;
        while !drain.is_finished() {
            let (said, running) = blocks(yard);
            // What runs neither before nor after did not when the NameNode was asked; what is lost is missed at the next look, too.
            let addresses = before.drain(..).chain(running.iter().cloned()).collect();
            if let Some(said) = said {
                if let Some(known) = said_before {
                    assert_eq!(lacking(&said, &known, &addresses, copies), None);
                    looks += 1;
                }
                said_before = Some(said);
            }
            before = running;
        }
        let drain = drain.join().unwrap();
        let details = || {
            let asked: [&[&str]; 3] = [
                &["hdfs", "haadmin", "-getAllServiceState"],
                &["hdfs", "dfsadmin", "-safemode", "get"],
                &["hdfs", "fsck", "/", "-openforwrite", "-files", "-blocks", "-replicaDetails"],
            ];
            let logs = ["0", "1"].map(|number| {
                let pod = format!("my-hdfs-namenode-{number}");
                text(&yard.kubectl(&["logs", &pod, "-c", "namenode", "--tail=150"]))
            });
            [asked.map(|words| client(yard, words)).concat(), logs.concat()].concat()
        };
        assert!(drain.status.success() && looks > 0, "{looks} looks: {}\n{}", text(&drain), details());
    });
    let deaths = yard.kubectl_ok(&["get", "pods", "-l", "app=hdfs-namenode,release=my-hdfs", "-o", deaths]);
    assert!(deaths.lines().all(|line| line.ends_with(" 0 0")), "a NameNode died: {deaths}");
    let printed = session.finish();
    assert!(printed.contains("total 250"), "{printed}");
}

/// Waits until so many DataNodes are in service, and none other is counted.
pub fn in_service(yard: &Yard, count: usize) {
    yard.until("DataNodes are in service", Duration::from_secs(120), || {
        let report = client(yard, &["hdfs", "dfsadmin", "-report", "-live"]);
        let all = report.matches("Decommission Status : ").count();
        let normal = report.matches("Decommission Status : Normal").count();
        if (all, normal) == (count, count) { Ok(()) } else { Err(report) }
    });
}

#[test]
fn nodes_hand_over_their_data_nodes_or_keep_them() {
    let yard = Yard::up(&["--nodes", "4..4", "--node-shape", "cpu=4,memory=6Gi"]);
    create(&yard);
    in_service(&yard, 4);

    // One of four, where three copies are wanted. The fleet has another node in its place, and the DataNode goes there.
    drained(&yard, 3, "handed");
    in_service(&yard, 4);
    ready(&yard);

    // Fewer are wanted: one hands over, too.
    yard.kubectl_ok(&["patch", "hdfscluster", "my-hdfs", "--type=merge", "-p", r#"{"spec":{"dataNodes":3}}"#]);
    yard.until("one DataNode less runs", Duration::from_secs(120), || {
        let pods = yard.kubectl_ok(&["get", "pods", "-l", "app=hdfs-datanode,release=my-hdfs", "-o", "name"]);
        if pods.lines().count() == 3 { Ok(()) } else { Err(pods) }
    });
    ready(&yard);
    let whole = || {
        let checked = client(&yard, &["hdfs", "fsck", "/user"]);
        assert!(checked.contains("is HEALTHY") && checked.contains("Under-replicated blocks:\t0 ("), "{checked}");
    };
    whole();

    // As many as copies: none can be done without, and whoever asks is told what to do.
    let node = with_data_nodes(&yard);
    let refused = yard.emberyard(&["node", "drain", &node]);
    let said = text(&refused);
    assert!(!refused.status.success() && said.contains(" can't go: 3 DataNodes are in service"), "{said}");
    assert!(
        said.contains("Ask for more DataNodes (spec.dataNodes), with nodes for them, or for fewer copies"),
        "{said}"
    );
    yard.kubectl_ok(&["uncordon", &node]);
    ready(&yard);
    whole();
    yard.down();
}
