//! `kill -9` of a whole yard: nothing is lost that was kept, and nothing stays.

use crate::yard::{Yard, owners, text};

/// Longer than a socket's address (108 bytes) can be.
const DEEP: &str =
    "a-folder-whose-path-is-longer/than-the-address-of-a-socket-can-be/which-is-one-hundred-and-eight-bytes";

/// Kills every process of the yard, also those that others start again meanwhile.
fn kill_all(yard: &Yard) {
    loop {
        let pids = yard.pids();
        if pids.is_empty() {
            return;
        }
        for pid in pids {
            let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
            // Gone already, or waiting to be reaped.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

#[test]
fn a_yard_is_killed_and_comes_back_and_goes_without_a_trace() {
    for owner in owners() {
        let yard = Yard::at(owner, DEEP);
        assert!(yard.dir().as_os_str().len() > 108);
        yard.up_again(&[]);
        std::fs::write(yard.files.join("mine"), "kept").unwrap();
        let session = yard.start("from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\nimport time\ntime.sleep(1000)");
        yard.until("two executors", std::time::Duration::from_secs(180), || {
            let running = crate::executors(&yard);
            if running.len() == 2 { Ok(()) } else { Err(format!("{running:?}")) }
        });
        let running = yard.traces();
        kill_all(&yard);
        drop(session);

        yard.up_again(&[]);
        assert_eq!(yard.run("print(6 * 7)").trim(), "42");
        crate::nothing_left(&yard);
        let again = yard.traces();
        kill_all(&yard);
        let down = yard.emberyard(&["down", "--purge", "--yes"]);
        assert!(down.status.success(), "{}", text(&down));
        yard.nothing_left_of(&running);
        yard.nothing_left_of(&again);
        assert_eq!(std::fs::read_to_string(yard.files.join("mine")).unwrap(), "kept");
        let twice = yard.emberyard(&["down", "--purge", "--yes"]);
        assert!(twice.status.success(), "a second `down`: {}", text(&twice));
    }
}

/// The yard's holder, by its record.
fn holder(yard: &Yard) -> String {
    let record = std::fs::read_to_string(yard.dir().join("run/yard-holder.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&record).unwrap()["process"]["pid"].to_string()
}

#[test]
fn a_yard_without_its_holder_is_down_and_comes_up_again() {
    let yard = Yard::up(&["--notebook", "none"]);
    for keeper_too in [false, true] {
        let (keeper, holder_before) = (yard.keeper(), holder(&yard));
        if keeper_too {
            crate::yard::kill(&keeper);
        }
        crate::yard::kill(&holder_before);
        yard.until("status tells", std::time::Duration::from_secs(20), || {
            let status = yard.emberyard(&["status"]);
            if !status.status.success() && text(&status).contains("emberyard up") { Ok(()) } else { Err(text(&status)) }
        });
        yard.up_again(&["--notebook", "none"]);
        assert_ne!((yard.keeper(), holder(&yard)), (keeper, holder_before));
        yard.until("two nodes", std::time::Duration::from_secs(30), || {
            let nodes = text(&yard.kubectl(&["get", "nodes"]));
            if nodes.matches(" Ready").count() == 2 { Ok(()) } else { Err(nodes) }
        });
    }
    yard.down();
}
