#![allow(clippy::unwrap_used)]
//! Bits of real files flipped at seeded places: the server says so or has lost nothing, and a repair loses what it said.
use super::*;
use crate::engine::tests::{create, read, start_on};
use crate::error::ServeError;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const WRITTEN: usize = 30;

fn disk(folder: &Path) -> Arc<RealDisk> {
    Arc::new(RealDisk::new(folder, Arc::new(|| None)).unwrap())
}

fn name(number: usize) -> String {
    format!("m{number}")
}

/// A journal with objects, all acknowledged; answers its first revision of theirs.
async fn fill(folder: &Path) -> u64 {
    let (engine, committer) = start_on(disk(folder)).unwrap();
    let first = engine.durable().0 + 1;
    for number in 0..WRITTEN {
        assert_eq!(create(&engine, &name(number)).await, Ok(201));
    }
    committer.finish();
    first
}

/// Which of the objects a server started on the folder has.
async fn there(folder: &Path) -> Result<Vec<bool>, ServeError> {
    let (engine, committer) = start_on(disk(folder))?;
    let mut there = Vec::new();
    for number in 0..WRITTEN {
        there.push(read(&engine, &name(number)).await == Ok(200));
    }
    committer.finish();
    Ok(there)
}

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[tokio::test]
async fn a_flipped_bit_is_said_and_a_repair_loses_no_more_than_it_says() {
    let original = tempfile::tempdir().unwrap();
    let first = fill(original.path()).await;
    let file = only_file(original.path());
    let whole = std::fs::read(&file).unwrap();
    let mut refused = 0;
    for seed in 0..100 {
        let mut rng = StdRng::seed_from_u64(seed);
        let bit = rng.random_range(0..whole.len() * 8);
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        private_folder(&journal).unwrap();
        std::fs::write(journal.join(file.file_name().unwrap()), &bytes).unwrap();
        let Err(error) =
            there(&journal).await.map(|there| assert_eq!(there, [true; WRITTEN], "bit {bit}: silent loss"))
        else {
            continue;
        };
        refused += 1;
        assert!(matches!(error, ServeError::Journal(recover::JournalError::Damaged { .. })), "bit {bit}: {error}");
        assert_eq!(
            std::fs::read(journal.join(file.file_name().unwrap())).unwrap(),
            bytes,
            "a refused start changed it"
        );

        let found = examine(&journal).unwrap();
        let lost: Vec<u64> =
            found.damage.iter().flat_map(|damage| damage.first_lost.unwrap()..=damage.last_lost.unwrap()).collect();
        let aside = folder.path().join("aside");
        let revision = repair(&journal, &found, &aside).unwrap();
        assert!(revision > first + WRITTEN as u64 - 1, "bit {bit}: revisions are given twice");
        assert_eq!(std::fs::read(aside.join(file.file_name().unwrap())).unwrap(), bytes, "the copy");
        let expected: Vec<bool> = (0..WRITTEN as u64).map(|number| !lost.contains(&(first + number))).collect();
        assert_eq!(there(&journal).await.unwrap(), expected, "bit {bit}");
        assert_eq!(examine(&journal).unwrap().damage, []);
    }
    assert!(refused > 80, "only {refused} of 100 flips were said");
}

#[tokio::test]
async fn a_damaged_snapshot_is_mended_as_far_as_it_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    fill(&journal).await;
    // A repair without damage is a way to a snapshot.
    let found = examine(&journal).unwrap();
    repair(&journal, &found, &folder.path().join("before")).unwrap();
    let file = only_file(&journal);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(there(&journal).await, Err(ServeError::Restore(_))));
    let found = examine(&journal).unwrap();
    assert_eq!(found.damage.len(), 1, "{found:?}");
    let about = |number| format!("configmaps default/{}", name(number));
    assert!((0..WRITTEN).any(|number| found.damage[0].about.contains(&about(number))), "{found:?}");
    repair(&journal, &found, &folder.path().join("aside")).unwrap();
    let there = there(&journal).await.unwrap();
    for (number, there) in there.into_iter().enumerate() {
        assert!(there || found.damage[0].about.contains(&about(number)), "{number} is lost and not said");
    }
}

#[tokio::test]
async fn a_torn_tail_needs_no_repair_and_a_missing_file_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    fill(&journal).await;
    let file = only_file(&journal);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, [&whole[..], &whole[..100]].concat()).unwrap();
    let found = examine(&journal).unwrap();
    assert_eq!((found.damage.len(), found.unfinished), (0, 100));
    assert_eq!(there(&journal).await.unwrap(), [true; WRITTEN]);
    std::fs::rename(&file, journal.join("journal-00000000000000000009.log")).unwrap();
    let found = examine(&journal).unwrap();
    assert_eq!((found.damage[0].first_lost, found.damage[0].last_lost), (Some(1), Some(9)), "{found:?}");
}
