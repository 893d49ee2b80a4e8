//! A disk without room, by the limit of the yard's settings and by a file system that really is full: changes are refused
//! with 507, reads go on, nothing acknowledged is lost, and with room again changes are taken without a restart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use emberyard_api::pki::{self, Names};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{CONFIG_MAPS, Client, Served, config, config_map, connector, now};
use tokio_util::sync::CancellationToken;

const FOLDER: &str = "EMBERYARD_TEST_FULL_FOLDER";
const ADDRESS: &str = "EMBERYARD_TEST_FULL_ADDRESS";

/// Creates until the server refuses; what was acknowledged, and the refusal.
async fn fill(client: &mut Client, prefix: &str) -> (Vec<String>, serde_json::Value) {
    let mut acknowledged = Vec::new();
    for number in 0..10_000 {
        let name = format!("{prefix}{number}");
        let (status, body) = client.json("POST", CONFIG_MAPS, Some(&config_map(&name, &"x".repeat(5000)))).await;
        match status {
            201 => acknowledged.push(name),
            507 => return (acknowledged, body),
            other => panic!("{other}: {body}"),
        }
    }
    panic!("it was never full");
}

async fn all_there(client: &mut Client, names: &[String]) {
    for name in names {
        let (status, body) = client.get(&format!("{CONFIG_MAPS}/{name}")).await;
        assert_eq!(status, 200, "{name}: {body}");
    }
}

/// Creates one more as soon as the server takes it.
async fn taken_again(client: &mut Client) {
    let again = async {
        while client.json("POST", CONFIG_MAPS, Some(&config_map("again", "y"))).await.0 != 201 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("changes are taken again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_at_its_limit_behaves_as_a_full_disk() {
    let limit = Arc::new(AtomicU64::new(200_000));
    let read = Arc::clone(&limit);
    let folder = tempfile::tempdir().unwrap();
    let limited = move |config: &mut emberyard_api::ServeConfig| {
        config.journal_limit = Arc::new(move || Some(read.load(Ordering::Relaxed)));
    };
    let served = Served::at(folder.path(), limited).await;
    let mut client = served.admin().await;
    let (acknowledged, refusal) = fill(&mut client, "a").await;
    assert!(!acknowledged.is_empty());
    assert_eq!(refusal["reason"], "InsufficientStorage");
    let message = refusal["message"].as_str().unwrap();
    assert!(message.contains("200000 bytes") && message.contains("journalLimit"), "{message}");
    all_there(&mut client, &acknowledged).await;
    let size: u64 =
        std::fs::read_dir(folder.path().join("journal")).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    assert!(size <= 200_000, "{size}");
    limit.store(1_000_000, Ordering::Relaxed);
    taken_again(&mut client).await;
    served.shutdown.cancel();
    served.task.await.unwrap().unwrap();
    let served = Served::at(folder.path(), |_| {}).await;
    let mut client = served.admin().await;
    all_there(&mut client, &[&acknowledged[..], &["again".to_owned()]].concat()).await;
}

/// The child's side: serves until killed. Nothing to do when run as a test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(folder), Ok(address)) = (std::env::var(FOLDER), std::env::var(ADDRESS)) else { return };
    let listener = TcpListener::bind(address.parse::<SocketAddr>().unwrap()).unwrap();
    emberyard_api::serve(config(Path::new(&folder), listener, CancellationToken::new())).await.unwrap();
}

/// A server whose journal lies on a file system of 512 KiB, in a mount namespace of its own. Ends with the value.
struct Small(Child);

impl Small {
    fn start(folder: &Path, address: SocketAddr) -> Self {
        let script =
            "mount -t tmpfs -o size=512k,mode=700 tmpfs \"$1/journal\" && exec \"$0\" --exact child --nocapture";
        let child = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "--", "sh", "-ec", script])
            .arg(std::env::current_exe().unwrap())
            .arg(folder)
            .env(FOLDER, folder)
            .env(ADDRESS, address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// A path of this process as that one sees it.
    fn sees(&self, path: &Path) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.0.id())).join(path.strip_prefix("/").unwrap())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether this user may have a mount namespace here.
fn may_mount(folder: &Path) -> bool {
    let tried = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "--", "mount", "-t", "tmpfs", "tmpfs"])
        .arg(folder)
        .output();
    tried.is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_system_that_is_full_loses_nothing_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    std::fs::create_dir(&journal).unwrap();
    if !may_mount(&journal) {
        println!("skipped: this user may not mount a small file system here (user namespaces are forbidden)");
        return;
    }
    let pki = pki::ensure(&folder.path().join("pki"), &Names::default(), now()).unwrap();
    let connector = connector(pki.authority.certificate(), Some(&pki.admin), &[]);
    let address = { TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let mut small = Small::start(folder.path(), address);
    while tokio::net::TcpStream::connect(address).await.is_err() {
        assert!(small.0.try_wait().unwrap().is_none(), "the server ended by itself");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut client = Client::new(address, connector).await;
    let ballast = small.sees(&journal).join("ballast");
    std::fs::write(&ballast, vec![0; 100 << 10]).unwrap();
    let (acknowledged, refusal) = fill(&mut client, "a").await;
    assert!(!acknowledged.is_empty());
    assert_eq!(refusal["reason"], "InsufficientStorage");
    let message = refusal["message"].as_str().unwrap();
    assert!(message.contains("No space left on device") && message.contains("free space"), "{message}");
    all_there(&mut client, &acknowledged).await;
    std::fs::remove_file(&ballast).unwrap();
    taken_again(&mut client).await;
    // What the disk holds is what was acknowledged: another server reads it.
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("journal")).unwrap();
    for entry in std::fs::read_dir(small.sees(&journal)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join("journal").join(path.file_name().unwrap())).unwrap();
    }
    let served = Served::at(copy.path(), |_| {}).await;
    let mut client = served.admin().await;
    all_there(&mut client, &[&acknowledged[..], &["again".to_owned()]].concat()).await;
}
