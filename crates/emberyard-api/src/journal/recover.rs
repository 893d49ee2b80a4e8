//! Reading a journal's folder back.

use super::Disk;
use emberyard_cluster::journal::{Decoder, JournalError as FrameError, newer_frame};
use emberyard_cluster::{Record, Revision};
use std::io;
use std::path::Path;

/// Why a journal can't be opened. Nothing is changed on disk in that case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A file could not be read or opened.
    #[error("journal file {file}: {source}")]
    File {
        /// Name in the journal's folder.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Acknowledged records are no longer what was written.
    #[error("journal file {file} is damaged at byte {offset}: acknowledged changes follow that point")]
    Damaged {
        /// Name in the journal's folder.
        file: String,
        /// Where the damage begins.
        offset: usize,
    },
    /// Written by a newer program.
    #[error("journal file {file} was written by a newer emberyard (format '{}')", char::from(*.version))]
    Newer {
        /// Name in the journal's folder.
        file: String,
        /// Its version byte.
        version: u8,
    },
    /// A file is missing in between.
    #[error("journal file {file} begins its changes at revision {found}, but {expected} comes next: a file is missing")]
    Gap {
        /// Name in the journal's folder.
        file: String,
        /// The revision that had to come.
        expected: u64,
        /// The revision that came.
        found: u64,
    },
}

impl JournalError {
    pub(super) fn file(name: &str, source: io::Error) -> Self {
        Self::File { file: name.to_owned(), source }
    }
}

/// What a journal's folder holds.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The newest snapshot.
    pub snapshot: Option<Vec<u8>>,
    /// All records of the segments in order; the first ones may already be in the snapshot.
    pub records: Vec<Record>,
    /// The revision all this ends at.
    pub revision: Revision,
    /// The segment to go on with, and the length of its whole frames in bytes.
    pub(super) segment: String,
    pub(super) length: u64,
    /// Files that a crash left and nobody needs.
    pub(super) leftovers: Vec<String>,
}

pub(super) fn snapshot_name(revision: Revision) -> String {
    format!("snapshot-{:020}.snap", revision.0)
}

pub(super) fn segment_name(revision: Revision) -> String {
    format!("journal-{:020}.log", revision.0)
}

fn number(name: &str, prefix: &str, suffix: &str) -> Option<u64> {
    name.strip_prefix(prefix)?.strip_suffix(suffix)?.parse().ok()
}

fn snapshot_revision(name: &str) -> Option<u64> {
    number(name, "snapshot-", ".snap")
}

fn segment_revision(name: &str) -> Option<u64> {
    number(name, "journal-", ".log")
}

/// Whether a file is a snapshot or segment of before the snapshot at `revision`.
pub(super) fn is_older(name: &str, revision: Revision) -> bool {
    snapshot_revision(name).or_else(|| segment_revision(name)).is_some_and(|r| r < revision.0)
}

/// What a journal's files are for.
pub(super) struct Files {
    /// The newest snapshot.
    pub snapshot: Option<Revision>,
    /// The segments that hold what it lacks, in order.
    pub segments: Vec<Revision>,
    /// What a crash left and nobody needs.
    pub leftovers: Vec<String>,
}

/// Tells the files of a journal's folder apart.
pub(super) fn needed(names: &[String]) -> Files {
    let base = names.iter().filter_map(|n| snapshot_revision(n)).max();
    let mut starts: Vec<u64> = names.iter().filter_map(|n| segment_revision(n)).collect();
    starts.sort_unstable();
    // A segment whose successor begins at or before the snapshot holds nothing that the snapshot lacks.
    let needed = starts.iter().rposition(|start| *start <= base.unwrap_or(0)).unwrap_or(0);
    let mut leftovers: Vec<String> = starts.drain(..needed).map(|r| segment_name(Revision(r))).collect();
    leftovers.extend(names.iter().filter(|n| snapshot_revision(n) < base && snapshot_revision(n).is_some()).cloned());
    leftovers.extend(names.iter().filter(|n| n.strip_suffix(".tmp").is_some()).cloned());
    Files { snapshot: base.map(Revision), segments: starts.into_iter().map(Revision).collect(), leftovers }
}

/// Whether this program knows the format of all files; changes nothing. A journal that is not there yet is fine.
pub fn check_format(folder: &Path) -> Result<(), JournalError> {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        if snapshot_revision(&file).or(segment_revision(&file)).is_none() {
            continue;
        }
        let bytes = std::fs::read(entry.path()).map_err(|source| JournalError::file(&file, source))?;
        if let Some((_, version)) = newer_frame(&bytes) {
            return Err(JournalError::Newer { file, version });
        }
    }
    Ok(())
}

/// Reads snapshot and segments. `active` names the segment being written with the length that counts; without it the
/// last one's torn end is found by its frames.
pub(super) fn recover(disk: &dyn Disk, active: Option<(&str, u64)>) -> Result<Recovered, JournalError> {
    let names = disk.list().map_err(|e| JournalError::file(".", e))?;
    let read = |name: &str| disk.read(name).map_err(|e| JournalError::file(name, e));
    let files = needed(&names);
    let base = files.snapshot;
    let mut found = Recovered {
        snapshot: base.map(|r| read(&snapshot_name(r))).transpose()?,
        records: Vec::new(),
        revision: base.unwrap_or_default(),
        segment: segment_name(base.unwrap_or_default()),
        length: 0,
        leftovers: files.leftovers,
    };
    let last = files.segments.last().copied();
    for start in files.segments {
        let name = segment_name(start);
        let mut bytes = read(&name)?;
        if let Some((_, length)) = active.filter(|(active, _)| *active == name) {
            bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        }
        let whole = segment(&name, start, &bytes, last == Some(start), &mut found)?;
        (found.segment, found.length) = (name, whole as u64);
    }
    Ok(found)
}

/// Adds one segment's records; answers the length of its whole frames in bytes.
fn segment(
    name: &str,
    start: Revision,
    bytes: &[u8],
    last: bool,
    found: &mut Recovered,
) -> Result<usize, JournalError> {
    let file = name.to_owned();
    if start > found.revision {
        return Err(JournalError::Gap { file, expected: found.revision.0 + 1, found: start.0 + 1 });
    }
    for item in Decoder::new(bytes, start) {
        match item {
            Ok(record) => {
                let next = found.revision.0 + 1;
                if record.revision.0 > next {
                    return Err(JournalError::Gap { file, expected: next, found: record.revision.0 });
                }
                found.revision = found.revision.max(record.revision);
                found.records.push(record);
            }
            Err(FrameError::Torn { offset, .. }) if last => return Ok(offset),
            Err(FrameError::Torn { offset, .. } | FrameError::Damaged { offset }) => {
                return Err(JournalError::Damaged { file, offset });
            }
            Err(FrameError::Version { version, .. }) => return Err(JournalError::Newer { file, version }),
        }
    }
    Ok(bytes.len())
}
