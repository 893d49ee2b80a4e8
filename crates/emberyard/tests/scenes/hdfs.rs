//! An HDFS, as the tutorial's third part has it: written and read by Spark, killed, deleted and made again.

use super::hdfs_drain::{drained, in_service};
use crate::yard::forward::Forward;
use crate::yard::proxy::Proxy;
use crate::yard::{Running, Yard, http, text};
use std::process::Output;
use std::time::Duration;

/// The sizes that the tutorial's table has, whoever writes it.
const PARTS: [u64; 2] = [78_333_335, 85_000_000];
const SESSION: &str = "from pyspark.sql import SparkSession\nimport os, time\nspark = SparkSession.builder.getOrCreate()\n\
    sc = spark.sparkContext\n";
const TUTORIAL: &str = "df = spark.createDataFrame(sc.parallelize(range(10000000)).map(lambda i: ((i, i * 2))))\n\
    df.write.csv('hdfs://my-hdfs/user/hdfs/test/example.csv')\n\
    print('counted', spark.read.csv('hdfs://hdfs-k8s/user/hdfs/test/example.csv').count())\nspark.stop()\n";
/// A NameNode's own name, as the tutorial writes it, means the file system whichever of them is active.
const BY_HOST: &str = "for number in (0, 1):\n    \
    host = f'my-hdfs-namenode-{number}.my-hdfs-namenode.default.svc.cluster.local'\n    \
    sc.parallelize(range(10), 2).saveAsTextFile(f'hdfs://{host}/user/hdfs/test/by-host-{number}')\n    \
    print('by host', number, sc.textFile(f'hdfs://{host}:8020/user/hdfs/test/by-host-{number}').count())\n";
/// A write of some seconds; `writing` tells when it has begun.
const SLOW: &str = "def slow(number):\n    open('@MARK@', 'w').close()\n    time.sleep(0.5)\n    return number, number * 2\n\
    sc.parallelize(range(40), 8).map(slow).toDF().write.csv('/user/hdfs/test/slow.csv')\n\
    print('sum', sc.textFile('/user/hdfs/test/slow.csv').map(lambda line: int(line.split(',')[0])).sum())\nspark.stop()\n";
/// Writes and reads for half a minute.
pub const STEADY: &str = "total = 0\nfor turn in range(25):\n    \
    sc.parallelize(range(10), 2).saveAsTextFile(f'/user/hdfs/test/@NAME@-{turn}')\n    \
    total += sc.textFile(f'/user/hdfs/test/@NAME@-{turn}').count()\n    \
    open('@MARK@', 'w').close()\n    time.sleep(1)\nprint('total', total)\nspark.stop()\n";

pub fn create(yard: &Yard) {
    let created = yard.emberyard(&["hdfs", "create", "my-hdfs"]);
    assert!(created.status.success(), "{}\n{}", text(&created), yard.logs());
    assert!(text(&created).contains("hdfs://my-hdfs"), "{}", text(&created));
}

/// What a command in the client's pod prints.
pub fn client(yard: &Yard, words: &[&str]) -> String {
    String::from_utf8_lossy(&in_client(yard, "my-hdfs", words).stdout).into_owned()
}

/// A command in the client's pod of an HDFS.
pub fn in_client(yard: &Yard, hdfs: &str, words: &[&str]) -> Output {
    let selector = format!("app=hdfs-client,release={hdfs}");
    let pods = yard.kubectl_ok(&["get", "pods", "-l", &selector, "-o", "name"]);
    yard.kubectl(&[&["exec", pods.trim(), "--"], words].concat())
}

/// The canary beside the client's commands has told this of the time that clients wait.
fn canary(yard: &Yard, told: &str) {
    yard.until("the canary tells it", Duration::from_secs(60), || {
        let status = text(&yard.emberyard(&["status"]));
        if status.contains(told) { Ok(()) } else { Err(format!("{told}: {status}")) }
    });
}

fn sizes(yard: &Yard) -> Vec<u64> {
    let listed = client(yard, &["hdfs", "dfs", "-ls", "/user/hdfs/test/example.csv"]);
    let parts = listed.lines().filter(|line| line.contains("/part-"));
    parts.filter_map(|line| line.split_whitespace().nth(4)?.parse().ok()).collect()
}

/// The pods of the active and of the other NameNode.
fn name_nodes(yard: &Yard) -> [String; 2] {
    let mut found = [String::new(), String::new()];
    for number in ["0", "1"] {
        let state = client(yard, &["hdfs", "haadmin", "-getServiceState", &format!("nn{number}")]);
        let place = usize::from(state.trim() != "active");
        found[place] = format!("my-hdfs-namenode-{number}");
    }
    found
}

pub fn ready(yard: &Yard) {
    yard.until("the HDFS is whole", Duration::from_secs(180), || {
        let status = text(&yard.emberyard(&["status"]));
        if status.contains("my-hdfs Ready hdfs://my-hdfs") { Ok(()) } else { Err(status) }
    });
}

/// A session that runs this, once its work has begun.
pub fn working<'a>(yard: &'a Yard, script: &str, name: &str) -> Running<'a> {
    let mark = yard.files.join(name);
    let script = script.replace("@NAME@", name).replace("@MARK@", &mark.display().to_string());
    let mut session = yard.start(&format!("{SESSION}{script}"));
    yard.until("it works", Duration::from_secs(120), || {
        if mark.exists() { Ok(()) } else { Err(format!("not yet; its run has ended: {}", session.has_ended())) }
    });
    session
}

/// T17: the NameNode's page, and a script of it that is the same as through `kubectl proxy`.
fn page(yard: &Yard) {
    let forward = Forward::start(yard, "service/my-hdfs-namenode", &[50070]);
    let page = http::call(forward.ports[0], "GET", "/dfshealth.html", "").unwrap();
    assert_eq!((page.status, page.body.contains("Namenode information")), (200, true), "{}", page.body);
    let script = "/static/d3-v4.1.1.min.js";
    let forwarded = http::call(forward.ports[0], "GET", script, "").unwrap();
    let path = format!("/api/v1/namespaces/default/services/my-hdfs-namenode:50070/proxy{script}");
    assert!(forwarded.body.len() > 200_000 && forwarded.body == Proxy::start(yard).page(&path), "{}", forwarded.status);
    assert_eq!(forward.errors(), "");
}

/// Tasks run on nodes that hold what they read; the session's score is under the cell and in `status`.
fn read_where_it_lies(yard: &Yard) {
    let mut session = yard.start_cells(&[include_str!("../notebooks/locality.py"), &yard.pause("scored")]);
    let mut status = String::new();
    yard.until("the score is in status", Duration::from_secs(180), || {
        status = text(&yard.emberyard(&["status"]));
        let is_there = status.contains(" tasks read their blocks on their own node (");
        if is_there || session.has_ended() { Ok(()) } else { Err(status.clone()) }
    });
    yard.go("scored");
    let printed = session.finish();
    let told = printed.lines().find_map(|line| line.strip_prefix("local ")?.split_once(" of "));
    let (local, all): (u32, u32) = match told.map(|(local, all)| (local.trim().parse(), all.trim().parse())) {
        Some((Ok(local), Ok(all))) => (local, all),
        _ => panic!("it told nothing: {printed}"),
    };
    assert!(all >= 20 && local * 100 >= all * 95, "{local} of {all} tasks are local: {printed}");
    // The same, under the cell.
    let line = printed.lines().find(|line| line.starts_with("HDFS: ")).unwrap_or_default();
    assert!(
        line.contains(" tasks read their blocks on their own node (") && status.contains(line.trim()),
        "{printed}\n{status}"
    );
}

/// While a JournalNode has no pod, and so its name no address, one NameNode takes over and the other one starts all the same.
fn without_a_journal_node(yard: &Yard) {
    yard.kubectl_ok(&["scale", "statefulset", "my-hdfs-journalnode", "--replicas=2"]);
    yard.until("a JournalNode is gone", Duration::from_secs(60), || {
        let pods = yard.kubectl_ok(&["get", "pods", "-l", "app=hdfs-journalnode,release=my-hdfs", "-o", "name"]);
        if pods.lines().count() == 2 { Ok(()) } else { Err(pods) }
    });
    let [active, standby] = name_nodes(yard);
    let deaths = || {
        let count = "jsonpath={.status.containerStatuses[*].restartCount}";
        yard.kubectl_ok(&["get", "pod", &standby, "-o", count])
    };
    let before = deaths();
    yard.kubectl_ok(&["delete", "pod", &active, "--grace-period=0", "--force"]);
    yard.until("the other one is active, and this one ready", Duration::from_secs(60), || {
        let is_ready = "jsonpath={.status.conditions[?(@.type=='Ready')].status}";
        let is_ready = yard.kubectl(&["get", "pod", &active, "-o", is_ready]).stdout == b"True";
        let now = name_nodes(yard);
        if is_ready && now[0] == standby {
            Ok(())
        } else {
            Err(format!("ready: {is_ready}, active and other: {now:?}"))
        }
    });
    assert_eq!(deaths(), before, "{standby} died while it took over");
    yard.kubectl_ok(&["scale", "statefulset", "my-hdfs-journalnode", "--replicas=3"]);
    ready(yard);
}

#[test]
fn an_hdfs_lives_through_the_death_of_all_its_pods() {
    let yard = Yard::up(&["--nodes", "2..3", "--node-shape", "cpu=4,memory=6Gi"]);
    create(&yard);
    let [active, standby] = name_nodes(&yard);
    assert!(!active.is_empty() && !standby.is_empty(), "active {active:?}, standby {standby:?}");
    canary(&yard, "Clients waited");
    page(&yard);
    let printed = yard.run(&format!("{SESSION}{TUTORIAL}"));
    assert!(printed.contains("counted 10000000"), "{printed}");
    assert_eq!(sizes(&yard), PARTS);
    read_where_it_lies(&yard);

    let printed = yard.run(&format!("{SESSION}{BY_HOST}spark.stop()\n"));
    assert!(printed.contains("by host 0 10") && printed.contains("by host 1 10"), "{printed}");

    // A changed spec replaces all pods while Spark works: no error.
    let session = working(&yard, STEADY, "steady");
    yard.kubectl_ok(&["patch", "hdfscluster", "my-hdfs", "--type=merge", "-p", r#"{"spec":{"replication":2}}"#]);
    let printed = session.finish();
    assert!(printed.contains("total 250"), "{printed}");
    yard.until("all pods are new", Duration::from_secs(180), || {
        let conditions = "jsonpath={.status.observedGeneration} {.status.conditions[?(@.type=='UpToDate')].status}";
        let said = yard.kubectl_ok(&["get", "hdfscluster", "my-hdfs", "-o", conditions]);
        if said == "2 True" { Ok(()) } else { Err(said) }
    });
    ready(&yard);
    assert_eq!(client(&yard, &["hdfs", "getconf", "-confKey", "dfs.replication"]).trim(), "2");
    // What was written when three copies were wanted would keep them.
    client(&yard, &["hdfs", "dfs", "-setrep", "2", "/user/hdfs/test"]);
    drained(&yard, 2, "drained");
    in_service(&yard, 4);
    ready(&yard);
    let [active, _] = name_nodes(&yard);

    // The active NameNode dies while Spark writes: a pause, no error.
    let session = working(&yard, SLOW, "writing");
    yard.kubectl_ok(&["delete", "pod", &active, "--grace-period=0", "--force"]);
    let printed = session.finish();
    assert!(printed.contains("sum 780"), "{printed}");
    canary(&yard, "Clients waited at most");
    crate::nothing_left(&yard);
    ready(&yard);
    // Which of them is active now is a race: a pod may be back before the other was elected.
    assert!(name_nodes(&yard).iter().all(|pod| !pod.is_empty()));

    // All of them at once.
    yard.kubectl_ok(&["delete", "pods", "-l", "release=my-hdfs", "--grace-period=0", "--force"]);
    yard.until("it is read again", Duration::from_secs(180), || {
        let found = sizes(&yard);
        if found == PARTS { Ok(()) } else { Err(format!("{found:?}")) }
    });
    ready(&yard);

    without_a_journal_node(&yard);

    // A JournalNode whose volume is lost has the journal from the others: it is ready once it is written to.
    yard.kubectl_ok(&["delete", "pvc", "data-my-hdfs-journalnode-1", "--wait=false"]);
    yard.kubectl_ok(&["delete", "pod", "my-hdfs-journalnode-1"]);
    yard.until("it is written to again", Duration::from_secs(90), || {
        let conditions = "jsonpath={.status.conditions[?(@.type=='Ready')].status}";
        let said = yard.kubectl(&["get", "pod", "my-hdfs-journalnode-1", "-o", conditions]);
        if said.stdout == b"True" { Ok(()) } else { Err(text(&said)) }
    });
    ready(&yard);

    // Deleting it keeps its files; one of the same name has them.
    let deleted = yard.emberyard(&["hdfs", "delete", "my-hdfs"]);
    assert!(deleted.status.success(), "{}", text(&deleted));
    yard.until("its pods are gone", Duration::from_secs(60), || {
        let pods = yard.kubectl_ok(&["get", "pods", "-l", "release=my-hdfs", "-o", "name"]);
        if pods.is_empty() { Ok(()) } else { Err(pods) }
    });
    create(&yard);
    assert_eq!(sizes(&yard), PARTS);
    yard.down();
}
