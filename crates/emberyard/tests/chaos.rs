//! A short rehearsal of faults, as its user types it. The long ones are the same verb with more of everything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code, reason = "journeys use the rest")]
mod yard;

use yard::Yard;

/// The verb's own verdict is the test's, but the test also counts and looks for itself.
fn rehearse(yard: &Yard, faults: &str, seed: u32, count: usize) {
    let (seed, number) = (seed.to_string(), count.to_string());
    let output = yard.emberyard(&["chaos", faults, "--seed", &seed, "--count", &number]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{}", yard::text(&output), yard.logs());
    println!("{printed}");
    for fault in faults.split(',') {
        assert!(printed.contains(&format!(" s  {fault} ")), "{fault} did not strike: {printed}");
    }
    assert_eq!(printed.matches(", healthy after ").count(), count, "{printed}");
    assert!(printed.contains(&format!("{count} faults (seed {seed}): 0 promises broken, 0 leftovers")), "{printed}");
    let pods = yard.kubectl_ok(&["get", "pods,configmaps,services,pvc", "-l", "spark-app-selector", "-o", "name"]);
    assert_eq!(pods, "");
}

#[test]
fn what_spark_and_the_yard_promise_holds_under_faults() {
    let yard = Yard::up(&[]);
    rehearse(&yard, "executor,driver-jvm,node,everything", 7, 4);
    yard.down();
}

#[test]
fn what_hdfs_acknowledged_is_there_after_faults() {
    let yard = Yard::up(&["--nodes", "2..2", "--node-shape", "cpu=4,memory=6Gi"]);
    rehearse(&yard, "namenode,namenode-cable,datanode,journalnode-full", 5, 4);
    let left = yard.kubectl_ok(&["get", "pods,pvc,configmaps,services", "-l", "emberyard.dev/hdfs", "-o", "name"]);
    assert_eq!(left, "");
    assert_eq!(yard.kubectl_ok(&["get", "hdfsclusters", "-o", "name"]), "");
    yard.down();
}

#[test]
fn it_holds_without_root() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can run a yard as another user; the test above ran it without root");
        return;
    }
    let yard = Yard::up_as(Some(12345), &[]);
    rehearse(&yard, "operator,notebook-pod,link,clock-jump,disk-full", 3, 5);
    yard.down();
}

#[test]
fn a_schedule_is_printed_without_a_yard_and_nonsense_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_emberyard"));
        command.arg("chaos").args(words).env("EMBERYARD_DIR", folder.path().join("none")).output().unwrap()
    };
    let plan = |seed| run(&["all", "--seed", seed, "--count", "5", "--plan"]).stdout;
    assert_eq!(plan("7"), plan("7"));
    assert_ne!(plan("7"), plan("8"));
    assert_eq!(String::from_utf8(plan("7")).unwrap().lines().count(), 5);
    let hdfs = run(&["hdfs", "--seed", "7", "--count", "12", "--plan"]);
    assert_eq!(String::from_utf8(hdfs.stdout).unwrap().matches(" after the start of hdfs ").count(), 12);
    let wrong = run(&["executor,earthquake"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(yard::text(&wrong).contains("earthquake"), "{}", yard::text(&wrong));
}
