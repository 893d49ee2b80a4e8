//! Demos are what a newcomer types first.

use crate::yard::{Yard, text};
use serde_json::Value;

#[test]
fn the_hdfs_demo_plays_to_its_end_and_takes_its_hdfs_away() {
    let yard = Yard::at(None, "");
    let output = yard.emberyard(&["demo", "hdfs", "--keep", "-o", "json"]);
    assert!(output.status.success(), "{}\n{}", text(&output), yard.logs());
    let played: Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps = played["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    let wanted = ["images", "yard", "notebook", "HDFS", "web page", "NameNodes", "write", "read", "read again", "stop"];
    assert_eq!(names, wanted);
    assert!(steps.iter().all(|step| step["verdict"] == "ok"), "{played}");
    let left = yard.kubectl_ok(&["get", "hdfsclusters,persistentvolumeclaims", "-l", "release=my-hdfs", "-o", "name"]);
    assert_eq!(left.trim(), "");
    yard.down();
}
