//! An HDFS, as the tutorial's third part has it: written and read by Spark, killed, deleted and made again.

use crate::yard::{Yard, text};
use std::time::Duration;

/// The sizes that the tutorial's table has, whoever writes it.
const PARTS: [u64; 2] = [78_333_335, 85_000_000];
const SESSION: &str = "from pyspark.sql import SparkSession\nimport os, time\nspark = SparkSession.builder.getOrCreate()\n\
    sc = spark.sparkContext\n";
const TUTORIAL: &str = "df = spark.createDataFrame(sc.parallelize(range(10000000)).map(lambda i: ((i, i * 2))))\n\
    df.write.csv('hdfs://my-hdfs/user/hdfs/test/example.csv')\n\
    print('counted', spark.read.csv('hdfs://hdfs-k8s/user/hdfs/test/example.csv').count())\nspark.stop()\n";
/// A write of some seconds; `writing` tells when it has begun.
const SLOW: &str = "def slow(number):\n    open('@MARK@', 'w').close()\n    time.sleep(0.5)\n    return number, number * 2\n\
    sc.parallelize(range(40), 8).map(slow).toDF().write.csv('/user/hdfs/test/slow.csv')\n\
    print('sum', sc.textFile('/user/hdfs/test/slow.csv').map(lambda line: int(line.split(',')[0])).sum())\nspark.stop()\n";

fn create(yard: &Yard) {
    let created = yard.emberyard(&["hdfs", "create", "my-hdfs"]);
    assert!(created.status.success(), "{}\n{}", text(&created), yard.logs());
    assert!(text(&created).contains("hdfs://my-hdfs"), "{}", text(&created));
}

/// What a command in the client's pod prints.
fn client(yard: &Yard, words: &[&str]) -> String {
    let pods = yard.kubectl_ok(&["get", "pods", "-l", "app=hdfs-client,release=my-hdfs", "-o", "name"]);
    let words = [&["exec", pods.trim(), "--"], words].concat();
    let output = yard.kubectl(&words);
    String::from_utf8_lossy(&output.stdout).into_owned()
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

fn ready(yard: &Yard) {
    yard.until("the HDFS is whole", Duration::from_secs(180), || {
        let status = text(&yard.emberyard(&["status"]));
        if status.contains("my-hdfs Ready hdfs://my-hdfs") { Ok(()) } else { Err(status) }
    });
}

/// Tasks run on nodes that hold what they read.
fn read_where_it_lies(yard: &Yard) {
    let printed = yard.run(include_str!("../notebooks/locality.py"));
    let told = printed.lines().find_map(|line| line.strip_prefix("local ")?.split_once(" of "));
    let (local, all): (u32, u32) = match told.map(|(local, all)| (local.trim().parse(), all.trim().parse())) {
        Some((Ok(local), Ok(all))) => (local, all),
        _ => panic!("it told nothing: {printed}"),
    };
    assert!(all >= 20 && local * 100 >= all * 95, "{local} of {all} tasks are local: {printed}");
}

#[test]
fn an_hdfs_lives_through_the_death_of_all_its_pods() {
    let yard = Yard::up(&["--nodes", "2..2", "--node-shape", "cpu=4,memory=6Gi"]);
    create(&yard);
    let [active, standby] = name_nodes(&yard);
    assert!(!active.is_empty() && !standby.is_empty(), "active {active:?}, standby {standby:?}");
    let printed = yard.run(&format!("{SESSION}{TUTORIAL}"));
    assert!(printed.contains("counted 10000000"), "{printed}");
    assert_eq!(sizes(&yard), PARTS);
    read_where_it_lies(&yard);

    // The active NameNode dies while Spark writes: a pause, no error.
    let slow = SLOW.replace("@MARK@", &yard.files.join("writing").display().to_string());
    let session = yard.start(&format!("{SESSION}{slow}"));
    yard.until("it writes", Duration::from_secs(120), || {
        if yard.files.join("writing").exists() { Ok(()) } else { Err("not yet".to_owned()) }
    });
    yard.kubectl_ok(&["delete", "pod", &active, "--grace-period=0", "--force"]);
    let printed = session.finish();
    assert!(printed.contains("sum 780"), "{printed}");
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
