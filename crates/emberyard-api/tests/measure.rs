//! Figures, not a test: `cargo test -p emberyard-api --test measure -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use std::time::{Duration, Instant};
use support::{Events, PODS, Served, pod};

async fn creates(served: &Served, writers: usize, each: usize, prefix: &str) {
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for writer in 0..writers {
        let mut client = served.admin().await;
        let prefix = prefix.to_owned();
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            for turn in 0..each {
                let begun = Instant::now();
                let (status, body) = client.post(PODS, &pod(&format!("{prefix}-{writer}-{turn}"))).await;
                assert_eq!(status, 201, "{body}");
                times.push(begun.elapsed());
            }
            times
        }));
    }
    let mut times: Vec<Duration> = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: f64| times[(times.len() as f64 * part) as usize];
    eprintln!("{writers} writers: {rate:.0} creates/s, p50 {:?}, p99 {:?}", at(0.5), at(0.99));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn figures() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let served = Served::at(folder.path(), |_| {}).await;
    eprintln!("ready from nothing, keys included: {:?}", begun.elapsed());
    let mut admin = served.admin().await;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
    admin.post("/api/v1/namespaces/default/serviceaccounts", &account).await;
    creates(&served, 1, 300, "one").await;
    creates(&served, 16, 60, "many").await;

    let mut tasks = Vec::new();
    for _ in 0..200 {
        let mut client = served.admin().await;
        let request = client.request("GET", &format!("{PODS}?watch=true&labelSelector=fan"), None);
        let mut events = Events::new(client.send(request).await.unwrap().into_body());
        tasks.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < 50 {
                events.next().await.unwrap();
                seen.push(Instant::now());
            }
            drop(client);
            seen
        }));
    }
    let mut sent = Vec::new();
    for turn in 0..50 {
        let mut made = pod(&format!("fan-{turn}"));
        made["metadata"]["labels"] = json!({"fan": "out"});
        assert_eq!(admin.post(PODS, &made).await.0, 201);
        sent.push(Instant::now());
    }
    let mut delays = Vec::new();
    for task in tasks {
        delays.extend(task.await.unwrap().iter().zip(&sent).map(|(seen, sent)| seen.saturating_duration_since(*sent)));
    }
    delays.sort_unstable();
    eprintln!("50 pods to 200 watchers: p50 {:?}, p99 {:?}", delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
    served.stop().await.unwrap();
    let begun = Instant::now();
    let served = Served::at(folder.path(), |_| {}).await;
    eprintln!("ready with {} pods in the journal: {:?}", 300 + 960 + 50, begun.elapsed());
    served.stop().await.unwrap();
}

/// CPU time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: u64 =
        stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2).map(|t| t.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn with_controllers() {
    let settings = emberyard_control::Settings {
        ca_pem: "none".to_owned(),
        volumes_dir: "/volumes".to_owned(),
        catalog: emberyard_object::Catalog::builtin(),
    };
    let served = Served::with(|config| config.controllers = emberyard_control::all(&settings)).await;
    let mut admin = served.admin().await;
    while admin.get("/api/v1/namespaces/default/serviceaccounts/default").await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = cpu();
    tokio::time::sleep(Duration::from_secs(10)).await;
    eprintln!("idle for 10 s with all controllers: {:?} of CPU", cpu().saturating_sub(before));
    let before = cpu();
    creates(&served, 1, 200, "one").await;
    eprintln!("CPU for 200 pods, clients included: {:?}", cpu().saturating_sub(before));
    let before = cpu();
    tokio::time::sleep(Duration::from_secs(10)).await;
    eprintln!("then 10 s with 200 pending pods: {:?} of CPU", cpu().saturating_sub(before));
    served.stop().await.unwrap();
}
