#![allow(clippy::unwrap_used)]
//! What the engine says when the disk does not take what it is given.
use super::*;
use crate::journal::model::ModelDisk;
use serde_json::json;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn start(disk: &ModelDisk) -> (Arc<Engine>, Committer) {
    start_on(Arc::new(disk.clone())).unwrap()
}

pub(crate) fn start_on(disk: Arc<dyn Disk>) -> Result<(Arc<Engine>, Committer), ServeError> {
    let clock = AtomicI64::new(1_795_000_000_000_000);
    let clock = Arc::new(move || Timestamp(clock.fetch_add(1000, Ordering::Relaxed)));
    let mut seed = 0_u8;
    let entropy = Box::new(move |out: &mut [u8]| {
        for byte in out {
            seed = seed.wrapping_mul(31).wrapping_add(7);
            *byte = seed;
        }
    });
    Engine::start(disk, Config::default(), clock, entropy)
}

async fn send(engine: &Engine, method: Method, path: &str, body: Option<Value>) -> Result<u16, Refusal> {
    let mut request = Request::new(User::new("admin", &["system:masters"]), method, path);
    if let Some(body) = body {
        request.content_type = Some("application/json".to_owned());
        request.body = body.to_string().into();
    }
    let (reply, ticket) = engine.call(&request)?;
    engine.settle(ticket).await?;
    let Reply::Answer(answer) = reply else { panic!("an answer") };
    Ok(answer.status)
}

pub(crate) async fn create(engine: &Engine, name: &str) -> Result<u16, Refusal> {
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    send(engine, Method::Post, MAPS, Some(body)).await
}

pub(crate) async fn read(engine: &Engine, name: &str) -> Result<u16, Refusal> {
    send(engine, Method::Get, &format!("{MAPS}/{name}"), None).await
}

#[tokio::test]
async fn a_full_disk_refuses_changes_and_stays_readable() {
    let disk = ModelDisk::default();
    let (engine, committer) = start(&disk);
    assert_eq!(create(&engine, "before").await, Ok(201));
    disk.set_full(true);
    let refusal = create(&engine, "lost").await.unwrap_err();
    assert_eq!((refusal.status, refusal.reason), (507, "InsufficientStorage"));
    assert!(refusal.message.contains("free space"), "{}", refusal.message);
    // What was not acknowledged never happened, and the rest goes on.
    assert_eq!(read(&engine, "lost").await, Ok(404));
    assert_eq!(read(&engine, "before").await, Ok(200));
    assert_eq!(create(&engine, "still").await.unwrap_err().status, 507);
    disk.set_full(false);
    let again = async {
        while create(&engine, "after").await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), again).await.unwrap();
    committer.finish();
    let (engine, committer) = start(&disk);
    assert_eq!(read(&engine, "lost").await, Ok(404));
    assert_eq!(read(&engine, "after").await, Ok(200));
    committer.finish();
}

#[tokio::test]
async fn a_long_journal_becomes_a_snapshot() {
    let disk = ModelDisk::default();
    let (engine, committer) = start(&disk);
    assert_eq!(create(&engine, "small").await, Ok(201));
    let long = "x".repeat(900 << 10);
    for turn in 0..24 {
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("m{turn}")}, "data": {"a": long}});
        assert_eq!(send(&engine, Method::Post, MAPS, Some(body)).await, Ok(201));
        assert_eq!(send(&engine, Method::Delete, &format!("{MAPS}/m{turn}"), None).await, Ok(200));
    }
    assert_eq!(create(&engine, "last").await, Ok(201));
    committer.finish();
    let names = disk.list().unwrap();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("snapshot-")), "{names:?}");
    let (engine, committer) = start(&disk);
    assert_eq!(read(&engine, "small").await, Ok(200));
    assert_eq!(read(&engine, "m3").await, Ok(404));
    assert_eq!(read(&engine, "last").await, Ok(200));
    committer.finish();
}

#[tokio::test]
async fn a_power_cut_under_load_loses_no_acknowledged_change() {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand::rngs::StdRng::seed_from_u64(7);
    let mut disk = ModelDisk::default();
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..20 {
        let (engine, committer) = start(&disk);
        for name in &acknowledged {
            assert_eq!(read(&engine, name).await, Ok(200), "{name} in round {round}");
        }
        disk.cut_after(rng.random_range(0..60));
        let names: Vec<String> = (0..40).map(|i| format!("r{round}-{i}")).collect();
        let answers = futures::future::join_all(names.iter().map(|name| create(&engine, name))).await;
        acknowledged.extend(names.into_iter().zip(answers).filter(|(_, a)| *a == Ok(201)).map(|(name, _)| name));
        drop(committer);
        disk = disk.after_crash(&mut rng);
    }
    assert!(!acknowledged.is_empty());
}
