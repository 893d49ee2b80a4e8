//! What other people's notebooks do, on real Spark: `tests/notebooks` holds their code.

use crate::yard::{Yard, text};
use crate::{executors, nothing_left};
use std::time::Duration;

/// A notebook's code, run in the user's folder.
macro_rules! notebook {
    ($yard:expr, $name:literal) => {
        format!("import os\nos.chdir('{}')\n{}", $yard.files.display(), include_str!(concat!("../notebooks/", $name)))
    };
}
pub(super) use notebook;

#[test]
fn other_peoples_notebooks() {
    let yard = Yard::up(&[]);
    let printed = yard.run(&notebook!(yard, "many_libraries.py"));
    for part in ["joins", "functions", "shared variables", "streaming", "pipeline"] {
        assert!(printed.lines().any(|line| line == part), "{part}: {printed}");
    }
    nothing_left(&yard);
    let printed = yard.run(&notebook!(yard, "dynamic_allocation.py"));
    assert!(printed.contains("shrunk to 0") && printed.contains("grown again"), "{printed}");
    nothing_left(&yard);
    decommissioned(&yard);
    out_of_memory(&yard);
    let printed = yard.run(&notebook!(yard, "ten_contexts.py"));
    assert!(printed.contains("context 9"), "{printed}");
    nothing_left(&yard);
    two_at_once(&yard);
    yard.down();
}

/// An executor whose pod is deleted hands over what it holds before it goes.
fn decommissioned(yard: &Yard) {
    let session = yard.start(&notebook!(yard, "decommission.py"));
    yard.until("the shuffle", Duration::from_secs(200), || {
        if yard.files.join("shuffled").exists() { Ok(()) } else { Err("not written".to_owned()) }
    });
    let name = yard.kubectl_ok(&["get", "pods", "-l", "spark-role=executor,spark-exec-id=1", "-o", "name"]);
    yard.kubectl_ok(&["delete", name.trim()]); // waits until it is gone
    std::fs::write(yard.files.join("gone"), "").unwrap();
    let printed = session.finish();
    assert!(printed.contains("nothing was computed twice"), "{printed}");
    nothing_left(yard);
}

/// An executor whose Python takes more than its container may have: ended as a whole, replaced, explained with figures.
fn out_of_memory(yard: &Yard) {
    let session = yard.start(&notebook!(yard, "out_of_memory.py"));
    yard.until("the failed job", Duration::from_secs(200), || {
        if yard.files.join("told").exists() { Ok(()) } else { Err(text(&yard.emberyard(&["status"]))) }
    });
    yard.until("status tells", Duration::from_secs(10), || {
        let status = text(&yard.emberyard(&["status"]));
        // Where nobody but an agent watches, more than the limit was used before it looked.
        let told = status.lines().filter(|line| line.contains("ended: out of memory: used "));
        let with_limit = told.filter(|line| line.contains("Mi of its memory limit of 896Mi")).count();
        // The job ends at its second failed attempt, and one executor may take both along: its Python goes a moment before its JVM.
        if with_limit >= 1 { Ok(()) } else { Err(status) }
    });
    yard.go("seen");
    let printed = session.finish();
    assert!(printed.contains("sum 4950") && printed.contains("Spark says 137: True"), "{printed}");
    for part in [
        "-exec-1 ended: out of memory: used ",
        "Mi of its memory limit of 896Mi; largest programs: ",
        "Its limit is 896Mi: the JVM's heap and, beside it, Python and buffers. Raise spark.executor.memoryOverhead",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    nothing_left(yard);
}

/// Two notebooks, each with a session of its own, at the same time.
fn two_at_once(yard: &Yard) {
    let created = yard.emberyard(&["notebook", "create", "second"]);
    assert!(created.status.success(), "{}", text(&created));
    let code = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n\
                print(spark.sparkContext.parallelize(range(1000), 8).sum(), spark.conf.get('spark.kubernetes.driver.pod.name'))\n\
                spark.stop()\n";
    let first = yard.start(code);
    let second = yard.start_in("second", code);
    assert_eq!(first.finish().trim(), "499500 my-pyspark-notebook-0");
    assert_eq!(second.finish().trim(), "499500 second-0");
    nothing_left(yard);
}

#[test]
fn whoever_waits_or_ends_is_told_under_the_cell() {
    let yard = Yard::up(&[]);
    // What can never be had is told at once, with what can; the context comes up all the same.
    let never = "import pyspark, time\nconf = pyspark.SparkConf().set('spark.executor.memory', '900g')\n\
                 conf.set('spark.scheduler.maxRegisteredResourcesWaitingTime', '8s')\n\
                 sc = pyspark.SparkContext(conf=conf)\ntime.sleep(2)\nsc.stop()\n";
    let session = yard.start(never);
    yard.until("status tells", Duration::from_secs(60), || {
        let status = text(&yard.emberyard(&["status", "-o", "json"]));
        if status.contains("it can never run") && status.contains("\"never\": true") { Ok(()) } else { Err(status) }
    });
    let printed = session.finish();
    assert!(printed.contains("it can never run: asked are cpu 1, memory"), "{printed}");
    nothing_left(&yard);

    // An executor that dies in mid-work: the answer is right, and its user learns what happened.
    let slow = "import time\nfrom pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n\
                def slow(i):\n    time.sleep(0.5)\n    return i\n\
                print(spark.sparkContext.parallelize(range(60), 60).map(slow).sum())\nspark.stop()\n";
    let session = yard.start(slow);
    yard.until("two executors", Duration::from_secs(180), || match executors(&yard).len() {
        2 => Ok(()),
        other => Err(format!("{other} run")),
    });
    let (victim, _) = executors(&yard).remove(0);
    // Whatever kubectl says: the process that it speaks to goes with its container.
    let _ = yard.kubectl(&["exec", &victim, "--", "pkill", "-9", "-f", "KubernetesExecutorBackend"]);
    let printed = session.finish();
    assert!(printed.contains("1770"), "{printed}");
    assert!(printed.contains(&format!("{victim} ended: it was killed from outside (SIGKILL).")), "{printed}");
    nothing_left(&yard);
    yard.down();
}
