//! Interrupt and restart of a kernel while Spark works, as JupyterLab's buttons do it: by REST, through the gateway.

use crate::yard::{Yard, http};
use crate::{executors, nothing_left};
use emberyard_front::kernel::{Event, Jupyter, Kernel, RunError};
use std::time::{Duration, Instant};

const SESSION: &str = "import os, time\nfrom pyspark.sql import SparkSession\n\
    spark = SparkSession.builder.getOrCreate()\nsc = spark.sparkContext\n";
/// Two executors are four slots.
const STREAM: &str = "query = spark.readStream.format('rate').load().writeStream.format('noop').start()\n\
    while not query.recentProgress: time.sleep(0.1)\n";

/// What says that the interrupt can come.
fn begun(yard: &Yard, mark: &str) -> String {
    format!("open('{}', 'w').close()\n", yard.files.join(mark).display())
}

/// A job of minutes; its first task says that it works.
fn slow(yard: &Yard, mark: &str, job: &str) -> String {
    format!("def slow(number):\n    {}    time.sleep(2)\n    return 1\n{job}\n", begun(yard, mark))
}

/// After the interrupt: nothing of the job goes on, and answers are those of the questions asked.
const AFTER: &str = "deadline = time.time() + 20\n\
    streams = [job for q in spark.streams.active for job in sc.statusTracker().getJobIdsForGroup(q.runId)]\n\
    jobs = lambda: set(sc.statusTracker().getActiveJobsIds()) - set(streams)\n\
    while jobs() and time.time() < deadline: time.sleep(0.1)\n\
    print('active', list(jobs()), [q.isActive for q in spark.streams.active])\n\
    print('sum', sc.parallelize(range(1000), 4).sum(), spark.range(10).count())\n";

#[test]
fn a_kernel_is_interrupted_and_restarted_while_spark_works() {
    let yard = Yard::up(&[]);
    let output = yard.emberyard(&["notebook", "url", "my-pyspark-notebook"]);
    let link = String::from_utf8(output.stdout).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(played(&yard, link.trim()));
    yard.down();
}

async fn played(yard: &Yard, link: &str) {
    let mut kernel = Kernel::open(&Jupyter::from_link(link).unwrap(), "as-a-user").await.unwrap();
    let id = kernel.kernel_id().to_owned();
    let sum = "sc.parallelize(range(400), 400).map(slow).sum()";
    let table = "spark.range(400).repartition(400).foreach(lambda row: slow(row.id))";
    let rounds = [
        ("the context's own cell", format!("{SESSION}{}", slow(yard, "first", sum)), "[]"),
        ("a later cell", slow(yard, "second", sum), "[]"),
        ("a data frame", slow(yard, "third", table), "[]"),
        ("plain Python", format!("{}time.sleep(600)", begun(yard, "fourth")), "[]"),
        ("beside a stream", format!("{STREAM}{}", slow(yard, "fifth", sum)), "[True]"),
        ("waiting for a stream", format!("{}query.awaitTermination()", begun(yard, "sixth")), "[True]"),
        ("a context in the making", format!("spark.stop()\n{}{SESSION}", begun(yard, "seventh")), "[]"),
    ];
    let marks = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"];
    for ((round, code, streams), mark) in rounds.iter().zip(marks) {
        let asked = press(yard, link, &id, "interrupt", mark);
        let ended = tokio::time::timeout(Duration::from_secs(150), cell(&mut kernel, code)).await;
        asked.join().unwrap();
        let interrupted = ended.unwrap_or_else(|_| panic!("{round}: the cell goes on after the interrupt"));
        assert!(
            matches!(&interrupted, Err(RunError::Cell { name, .. }) if name == "KeyboardInterrupt"),
            "{round}: {interrupted:?}"
        );
        let again = if mark == "seventh" { SESSION } else { "" };
        let printed = cell(&mut kernel, &format!("{again}{AFTER}")).await.unwrap();
        assert_eq!(printed, format!("active [] {streams}\nsum 499500 10\n"), "{round}");
    }
    assert_eq!(executors(yard).len(), 2);

    // Restarted in mid-job: the session goes, at once and as a whole.
    let asked = press(yard, link, &id, "restart", "eighth");
    let ended = cell(&mut kernel, &slow(yard, "eighth", sum)).await;
    assert!(matches!(ended, Err(RunError::KernelDied | RunError::Cell { .. })), "{ended:?}");
    asked.join().unwrap();
    let restarted = Instant::now();
    nothing_left(yard);
    assert!(restarted.elapsed() < Duration::from_secs(20), "{:?}", restarted.elapsed());
    let printed = cell(&mut kernel, &format!("print('spark' in globals())\n{SESSION}{AFTER}spark.stop()\n")).await;
    assert_eq!(printed.unwrap(), "False\nactive [] []\nsum 499500 10\n");
    kernel.close().await.unwrap();
    nothing_left(yard);
}

/// Presses a button of the kernel once the job works, that is, once its mark is there.
fn press(yard: &Yard, link: &str, id: &str, button: &str, mark: &str) -> std::thread::JoinHandle<()> {
    let mark = yard.files.join(mark);
    let (base, token) = link.strip_prefix("http://127.0.0.1:").unwrap().split_once('?').unwrap();
    let (port, path) = base.split_once('/').unwrap();
    let port = port.parse().unwrap();
    let path = format!("/{}api/kernels/{id}/{button}?{token}", path.trim_end_matches("lab"));
    std::thread::spawn(move || {
        let start = Instant::now();
        while !mark.exists() {
            assert!(start.elapsed() < Duration::from_secs(120), "the job does not begin");
            std::thread::sleep(Duration::from_millis(50));
        }
        let reply = http::call(port, "POST", &path, "").unwrap();
        assert!((200..300).contains(&reply.status), "{path}: {} {}", reply.status, reply.body);
    })
}

/// What a cell prints.
async fn cell(kernel: &mut Kernel, code: &str) -> Result<String, RunError> {
    let mut printed = String::new();
    let mut tell = |event| {
        if let Event::Stream { error: false, text } = event {
            printed.push_str(&text);
        }
    };
    kernel.execute(code, &mut tell).await?;
    Ok(printed)
}
