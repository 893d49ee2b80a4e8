#![allow(clippy::unwrap_used)]
//! Power cuts at every kind of moment: nothing acknowledged is lost, nothing is half there.
use super::model::{ModelDisk, text};
use super::*;
use emberyard_cluster::{Change, Key};
use emberyard_model::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What was ever written: revision N is at N - 1. The state is this list's prefix; a snapshot is its text.
#[derive(Default)]
struct World {
    written: Vec<String>,
    acknowledged: usize,
}

fn record(revision: usize, content: &str) -> Record {
    Record {
        revision: Revision(revision as u64),
        time: Timestamp(0),
        change: Change::Put,
        key: Key::new("configmaps", "default", "a"),
        json: content.as_bytes().to_vec().into(),
    }
}

fn snapshot(state: &[String]) -> Vec<u8> {
    state.join("\n").into_bytes()
}

fn state(recovered: &Recovered) -> Vec<String> {
    let mut state: Vec<String> = match &recovered.snapshot {
        Some(bytes) => String::from_utf8(bytes.clone()).unwrap().split('\n').map(str::to_owned).collect(),
        None => Vec::new(),
    };
    for record in &recovered.records {
        let revision = usize::try_from(record.revision.0).unwrap();
        if revision > state.len() {
            assert_eq!(revision, state.len() + 1);
            state.push(String::from_utf8(record.json.to_vec()).unwrap());
        }
    }
    state
}

/// Writes until the power goes off.
fn work(journal: &mut Journal, world: &mut World, rng: &mut StdRng) {
    loop {
        let batch: Vec<Record> = (0..rng.random_range(1..5))
            .map(|_| {
                world.written.push(text(rng));
                record(world.written.len(), &world.written[world.written.len() - 1])
            })
            .collect();
        if journal.append(&batch).is_err() {
            return;
        }
        world.acknowledged = world.written.len();
        if journal.wants_snapshot() && journal.keep_snapshot(&snapshot(&world.written)).is_err() && rng.random_bool(0.5)
        {
            return;
        }
    }
}

#[test]
fn a_thousand_power_cuts_lose_nothing_acknowledged() {
    for seed in 0..1000 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut disk = ModelDisk::default();
        let mut world = World::default();
        for _ in 0..4 {
            disk.cut_after(rng.random_range(0..70));
            if let Ok((journal, recovered)) = Journal::open(Arc::new(disk.clone())) {
                assert!(recovered.revision.0 as usize >= world.acknowledged);
                let mut journal = journal.with_segment_bytes(2000);
                world.written.truncate(recovered.revision.0 as usize);
                work(&mut journal, &mut world, &mut rng);
            }
            disk = disk.after_crash(&mut rng);
            let (_, recovered) = Journal::open(Arc::new(disk.clone())).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
            let found = state(&recovered);
            assert!(found.len() >= world.acknowledged, "seed {seed}: {} of {}", found.len(), world.acknowledged);
            assert_eq!(found[..], world.written[..found.len()], "seed {seed}");
            world.written.truncate(found.len());
            world.acknowledged = found.len();
        }
    }
}

#[test]
fn a_full_disk_undoes_the_batch_and_recovers() {
    let disk = ModelDisk::default();
    let (mut journal, _) = Journal::open(Arc::new(disk.clone())).unwrap();
    journal.append(&[record(1, "one")]).unwrap();
    disk.set_full(true);
    assert!(journal.append(&[record(2, "lost")]).is_err());
    assert_eq!(journal.durable(), Revision(1));
    assert_eq!(journal.reread().unwrap().revision, Revision(1));
    assert!(journal.append(&[record(2, "too early")]).is_err());
    assert!(journal.repair().is_err());
    assert!(journal.keep_snapshot(b"one").is_err());
    disk.set_full(false);
    journal.repair().unwrap();
    journal.append(&[record(2, "two")]).unwrap();
    drop(journal);
    let (_, recovered) = Journal::open(Arc::new(disk)).unwrap();
    assert_eq!(state(&recovered), ["one", "two"]);
}

#[test]
fn damage_and_gaps_are_refused() {
    let disk = ModelDisk::default();
    let (mut journal, _) = Journal::open(Arc::new(disk.clone())).unwrap();
    for revision in 1..4 {
        journal.append(&[record(revision, "content")]).unwrap();
    }
    let name = journal.name.clone();
    disk.damage(&name, 40);
    let refused = Journal::open(Arc::new(disk.clone())).err().unwrap();
    assert!(matches!(refused, JournalError::Damaged { .. }), "{refused}");
    disk.damage(&name, 40);
    journal.keep_snapshot(b"a\nb\nc").unwrap();
    journal.append(&[record(4, "d")]).unwrap();
    disk.remove("snapshot-00000000000000000003.snap").unwrap();
    let refused = Journal::open(Arc::new(disk)).err().unwrap();
    assert!(matches!(refused, JournalError::Gap { .. }), "{refused}");
}

#[test]
fn works_on_a_real_disk() {
    let folder = tempfile::tempdir().unwrap();
    let open =
        || Journal::open(Arc::new(RealDisk::new(&folder.path().join("journal"), Arc::new(|| None)).unwrap())).unwrap();
    let (journal, recovered) = open();
    assert_eq!(recovered.revision, Revision(0));
    let mut journal = journal.with_segment_bytes(100);
    let mut written: Vec<String> = Vec::new();
    for revision in 1..40 {
        written.push(format!("content {revision}"));
        journal.append(&[record(revision, &written[revision - 1])]).unwrap();
        if journal.wants_snapshot() {
            journal.keep_snapshot(&snapshot(&written)).unwrap();
        }
    }
    drop(journal);
    assert_eq!(state(&open().1), written);
    assert_eq!(std::fs::read_dir(folder.path().join("journal")).unwrap().count(), 2);
}
