//! A notebook fills the disk that it shares with others and with the control plane.

use super::others::notebook;
use crate::yard::{Yard, text};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What the yard's state has: its agents make room when less than a twentieth is left.
const DISK: &str = "size=1g,mode=755";
/// A disk that fills within a second is full for as long as nobody looks at it, which agents do each 5 seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A small disk, mounted for the time of a test.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(place: &'a Path) -> Self {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "emberyard-test"]).arg(place).status();
        assert!(mounted.unwrap().success());
        Self(place)
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[test]
fn who_fills_the_disk_goes_and_the_others_stay() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can mount a small disk");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let _disk = Disk::mount(place.path());
    let yard = Yard::at(None, &place.path().display().to_string());
    yard.up_again(&["--nodes", "2..2", "--node-shape", "cpu=3,memory=5Gi"]);
    let created = yard.emberyard(&["notebook", "create", "neighbour"]);
    assert!(created.status.success(), "{}", text(&created));
    let neighbour = yard.start_in("neighbour", &notebook!(yard, "neighbour.py"));
    yard.until("the neighbour's first answer", Duration::from_secs(180), || {
        if yard.files.join("works").exists() { Ok(()) } else { Err("none".to_owned()) }
    });

    let pod =
        |field: &str| text(&yard.kubectl(&["get", "pod", "my-pyspark-notebook-0", "-o", &format!("jsonpath={field}")]));
    let first = pod("{.metadata.uid}");
    let filling = yard.start(&notebook!(yard, "disk.py"));
    let mut acknowledged = Vec::new();
    yard.until("the one with most on disk goes", PATIENCE, || {
        let name = format!("note-{}", acknowledged.len());
        if yard.kubectl(&["create", "configmap", &name, "--request-timeout=5s"]).status.success() {
            acknowledged.push(name);
        }
        let events = text(&yard.kubectl(&["get", "events", "-A"]));
        let told = |line: &str| line.contains("Evicted") && line.contains("my-pyspark-notebook-0");
        if events.lines().any(told) { Ok(()) } else { Err(events) }
    });
    drop(filling);
    yard.until("there is room again", PATIENCE, || {
        let created = yard.kubectl(&["create", "configmap", "afterwards", "--request-timeout=5s"]);
        if created.status.success() { Ok(()) } else { Err(text(&created)) }
    });
    let kept = yard.kubectl_ok(&["get", "configmaps", "-o", "name"]);
    for name in &acknowledged {
        assert!(kept.lines().any(|line| line.ends_with(&format!("/{name}"))), "{name} was acknowledged: {kept}");
    }
    yard.until("the notebook is back", PATIENCE, || {
        let seen = (pod("{.metadata.uid}"), pod("{.status.conditions[?(@.type=='Ready')].status}"));
        if seen.0 != first && seen.1 == "True" { Ok(()) } else { Err(format!("{seen:?}")) }
    });
    assert_eq!(yard.run("print(6 * 7)").trim(), "42");
    yard.go("enough");
    let printed = neighbour.finish();
    println!("{}; acknowledged meanwhile: {}", printed.trim(), acknowledged.len());
    assert!(printed.contains("right answers"), "{printed}");
    crate::nothing_left(&yard);
    yard.down();
}
