//! A notebook that takes what it can get and asks for nonsense: it is told so, and nobody else suffers.

use super::others::notebook;
use crate::nothing_left;
use crate::yard::{Yard, owners, text};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Room for the notebooks and three executors.
const FLEET: [&str; 4] = ["--nodes", "2..2", "--node-shape", "cpu=3,memory=5Gi"];

/// More executors than the fleet will ever hold.
const THOUSAND: &str = "import pyspark\nconf = pyspark.SparkConf().set('spark.executor.instances', '1000')\n\
    conf.set('spark.executor.memory', '512m').set('spark.scheduler.maxRegisteredResourcesWaitingTime', '600s')\n\
    conf.set('spark.scheduler.minRegisteredResourcesRatio', '0.002')\n\
    sc = pyspark.SparkContext(conf=conf)\nprint('sum', sc.parallelize(range(100), 4).sum())\n";

#[test]
fn greed_and_nonsense_harm_nobody_else() {
    for owner in owners() {
        let yard = Yard::up_as(owner, &FLEET);
        let created = yard.emberyard(&["notebook", "create", "neighbour"]);
        assert!(created.status.success(), "{}", text(&created));
        let neighbour = yard.start_in("neighbour", &notebook!(yard, "neighbour.py"));
        yard.until("the neighbour's first answer", Duration::from_secs(180), || {
            if yard.files.join("works").exists() { Ok(()) } else { Err("none".to_owned()) }
        });
        let over = AtomicBool::new(false);
        let longest = std::thread::scope(|scope| {
            let probe = scope.spawn(|| longest_answer(&yard, &over));
            let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                played(&yard);
                // What counts objects is the same with and without root.
                if owner.is_none() {
                    a_thousand(&yard);
                }
            }));
            over.store(true, Ordering::Relaxed);
            let longest = probe.join().unwrap();
            played.map(|()| longest).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        yard.go("enough");
        let printed = neighbour.finish();
        assert!(printed.contains("right answers"), "{printed}");
        println!("{owner:?}: {}; API: longest answer {} ms", printed.trim(), longest.as_millis());
        nothing_left(&yard);
        yard.down();
    }
}

fn played(yard: &Yard) {
    let stage = |name: &str, started: Instant| println!("{name}: {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    assert!(yard.run(&notebook!(yard, "nonsense.py")).contains("nonsense refused"));
    stage("nonsense", started);

    let started = Instant::now();
    let printed = yard.run(&notebook!(yard, "greedy.py"));
    assert!(printed.len() < 50_000_000, "{} bytes came through", printed.len());
    let lines: Vec<&str> = printed.lines().filter(|line| line.len() < 1000).collect();
    for wanted in ["forks: sh: 0: Cannot fork", "forks again: yes", "sockets: "] {
        assert!(lines.iter().any(|line| line.starts_with(wanted)), "{wanted}: {lines:?}");
    }
    stage("greedy", started);
}

fn a_thousand(yard: &Yard) {
    let started = Instant::now();
    let session = yard.start(&format!("{THOUSAND}{}sc.stop()\n", yard.pause("stop")));
    yard.until("status tells", Duration::from_secs(120), || {
        let status = text(&yard.emberyard(&["status"]));
        if status.contains("no room, and the fleet may have no more than 2 nodes") { Ok(()) } else { Err(status) }
    });
    yard.go("stop");
    assert!(session.finish().contains("sum 4950"));
    println!("a thousand executors: {:.1} s", started.elapsed().as_secs_f64());
}

/// Asks the API time and again; every answer must come.
fn longest_answer(yard: &Yard, over: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let nodes = yard.kubectl(&["get", "nodes", "--request-timeout=20s"]);
        assert!(nodes.status.success(), "{}", text(&nodes));
        longest = longest.max(begun.elapsed());
        std::thread::sleep(Duration::from_millis(500));
    }
    longest
}
