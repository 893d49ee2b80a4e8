//! A newer program takes an older yard, and a yard of a program newer than itself is refused untouched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/yard-v1");
const POD: &str = "nodes/node-1/pods/859a51ef-933a-4a79-a399-e262f8f71d39";

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// All files of a folder with their content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

fn emberyard(dir: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emberyard"));
    command.args(words).env("EMBERYARD_DIR", dir).env("HOME", dir.parent().unwrap()).env_remove("EMBERYARD_IMAGES");
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Something done to a yard's folder.
type Change = Box<dyn Fn(&Path)>;

fn edit(path: &Path, key: &str, value: Value) {
    let mut record: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    record[key] = value;
    std::fs::write(path, serde_json::to_vec(&record).unwrap()).unwrap();
}

const UP: [&str; 5] = ["up", "--notebook", "none", "--detach", "--no-browser"];

#[test]
fn a_yard_of_a_newer_program_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("yard");
    let json = |file: &str, key: &'static str| {
        let file = file.to_owned();
        let change: Change = Box::new(move |dir| edit(&dir.join(&file), key, json!(99)));
        change
    };
    let journal = |name: &'static str| -> Change {
        Box::new(move |dir| {
            let path = dir.join("journal").join(name);
            let mut bytes = std::fs::read(&path).unwrap_or_default();
            bytes.extend_from_slice(b"EYJ2 and what nobody knows yet");
            std::fs::write(path, bytes).unwrap();
        })
    };
    let newer: Vec<Change> = vec![
        json("yard.json", "format"),
        json("run/yard-holder.json", "format"),
        json("run/api.json", "format"),
        json("nodes/node-1/node.json", "format"),
        json("nodes/node-1/holder.json", "format"),
        json(&format!("{POD}/supervisor.json"), "version"),
        json(&format!("{POD}/supervisor.json"), "format"),
        json(&format!("{POD}/observed.json"), "format"),
        json(&format!("{POD}/state/main.0.json"), "format"),
        journal("journal-00000000000000000000.log"),
        journal("snapshot-00000000000000000001.snap"),
    ];
    for (number, change) in newer.iter().enumerate() {
        let _ = std::fs::remove_dir_all(&dir);
        copy(Path::new(RECORDED), &dir);
        change(&dir);
        let before = files(&dir);
        let output = emberyard(&dir, &UP);
        let said = text(&output);
        assert!(!output.status.success(), "{number}: {said}");
        for word in ["newer emberyard", "EY-CLI-015", "Nothing was changed"] {
            assert!(said.contains(word), "{number}: no `{word}` in {said}");
        }
        assert_eq!(files(&dir), before, "{number}");
    }
}

/// Stops the yard however a test ends.
struct Down(PathBuf);

impl Drop for Down {
    fn drop(&mut self) {
        let _ = emberyard(&self.0, &["down", "--purge", "--yes"]);
    }
}

#[tokio::test]
async fn a_yard_of_the_first_version_goes_on() {
    let folder = tempfile::Builder::new().prefix("yard").tempdir().unwrap();
    let dir = folder.path().join("yard");
    copy(Path::new(RECORDED), &dir);
    // Ports of a yard are kept; those of the recorded one may be taken here.
    for key in ["apiPort", "gatewayPort"] {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        edit(&dir.join("yard.json"), key, json!(free));
    }
    if !emberyard(&dir, &["doctor"]).status.success() {
        println!("skipped: no yard runs on this machine (see `emberyard doctor`)");
        return;
    }
    let yard = Down(dir);
    let output = emberyard(&yard.0, &UP);
    assert!(output.status.success(), "{}", text(&output));
    let client = emberyard_client::Client::from_kubeconfig(&yard.0.join("kubeconfig")).await.unwrap();
    let map = client.get("/api/v1/namespaces/default/configmaps/recorded", &[]).await.unwrap();
    assert_eq!(map["data"]["who"], "made by version 0.1.0");
    // The agent knows the pod by its checkpoint: a start is counted on top of the recorded one.
    let pod = "/api/v1/namespaces/default/pods/recorded";
    let known = async {
        loop {
            let pod = client.get(pod, &[]).await.unwrap();
            let status = &pod["status"]["containerStatuses"][0];
            if status["lastState"]["terminated"].is_object() || status["state"]["terminated"].is_object() {
                return pod;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let pod = tokio::time::timeout(std::time::Duration::from_secs(30), known).await.expect("the pod's end is told");
    assert_eq!(pod["metadata"]["uid"], POD.rsplit('/').next().unwrap());
    let status = emberyard(&yard.0, &["status", "-o", "json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["nodes"].as_array().unwrap().len(), 1);
}
