//! Mending a damaged journal: what still can be read becomes a new one, the damaged files are kept aside.

use super::recover::{self, recover};
use super::{Disk, RealDisk};
use crate::pki::files::private_folder;
use emberyard_cluster::journal::{Decoder, JournalError as FrameError, salvage};
use emberyard_cluster::{ApiServer, Config, Key, Record, RestoreError, Revision};
use rustix::fs::{CWD, RenameFlags};
use serde::Serialize;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a journal's folder holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Examined {
    /// Changes and objects that can be read.
    pub readable: usize,
    /// The newest revision of them.
    pub revision: u64,
    /// What cannot be read. Nothing: the journal is whole.
    pub damage: Vec<Damage>,
    /// Bytes of a last write that was never completed, hence never acknowledged: no damage, the next start cuts them off.
    pub unfinished: usize,
    #[serde(skip)]
    records: Vec<Record>,
}

/// A place where acknowledged bytes are no longer what was written.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Damage {
    /// Name of the file in the journal's folder.
    pub file: String,
    /// Where the damage begins.
    pub offset: usize,
    /// How many bytes cannot be read; none where a file is missing as a whole.
    pub length: usize,
    /// The first revision lost; absent in a snapshot, which loses objects as they were.
    pub first_lost: Option<u64>,
    /// The last revision lost; absent if nothing behind it can be read.
    pub last_lost: Option<u64>,
    /// What the bytes seem to have been about: `resource namespace/name`. Objects have their last readable state.
    pub about: Vec<String>,
}

/// Why a journal could not be examined or mended. It is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepairError {
    /// A file or folder.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer program wrote it: no damage that this one could judge.
    #[error("{file} was written by a newer emberyard (format '{}'): use that one", char::from(*.version))]
    Newer {
        /// Name in the journal's folder.
        file: String,
        /// Its version byte.
        version: u8,
    },
    /// What was read makes no state.
    #[error(transparent)]
    State(#[from] RestoreError),
    /// The new journal does not read back as it was written.
    #[error("the new journal cannot be read back: {0}")]
    NotReadBack(#[from] recover::JournalError),
}

/// Reads all of a journal's folder. Changes nothing.
pub fn examine(folder: &Path) -> Result<Examined, RepairError> {
    let at = |name: &str| {
        let path = folder.join(name);
        move |source| RepairError::File { path, source }
    };
    let names = std::fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<io::Result<Vec<_>>>()
    });
    let files = recover::needed(&names.map_err(at(""))?);
    let mut found = Examined { readable: 0, revision: 0, damage: Vec::new(), unfinished: 0, records: Vec::new() };
    if let Some(base) = files.snapshot {
        let name = recover::snapshot_name(base);
        let bytes = std::fs::read(folder.join(&name)).map_err(at(&name))?;
        found.take(&name, &bytes, None)?;
        found.revision = found.revision.max(base.0);
        // Whole frames may still be too few of them.
        if found.damage.is_empty()
            && ApiServer::restore(Config::default(), Some(bytes.as_slice()), std::iter::empty()).is_err()
        {
            found.damage.push(Damage::at(name, bytes.len()));
        }
    }
    for (number, start) in files.segments.iter().enumerate() {
        let name = recover::segment_name(*start);
        let mut bytes = std::fs::read(folder.join(&name)).map_err(at(&name))?;
        let torn = Decoder::new(&bytes, *start).find_map(|item| match item {
            Err(FrameError::Torn { offset, .. }) => Some(offset),
            _ => None,
        });
        if let Some(offset) = torn.filter(|_| number + 1 == files.segments.len()) {
            found.unfinished = bytes.len() - offset;
            bytes.truncate(offset);
        }
        if start.0 > found.revision {
            let (first_lost, last_lost) = (Some(found.revision + 1), Some(start.0));
            found.damage.push(Damage { first_lost, last_lost, ..Damage::at(name.clone(), 0) });
        }
        found.take(&name, &bytes, Some(*start))?;
    }
    found.readable = found.records.len();
    Ok(found)
}

impl Damage {
    fn at(file: String, offset: usize) -> Self {
        Self { file, offset, length: 0, first_lost: None, last_lost: None, about: Vec::new() }
    }
}

impl Examined {
    /// Adds one file: a segment that begins after a revision, or a snapshot.
    fn take(&mut self, name: &str, bytes: &[u8], segment: Option<Revision>) -> Result<(), RepairError> {
        let read = salvage(bytes, segment.unwrap_or_default()).map_err(|error| match error {
            FrameError::Version { version, .. } => RepairError::Newer { file: name.to_owned(), version },
            // Only a newer version stops a salvage.
            other => RepairError::State(RestoreError::Journal(other)),
        })?;
        for loss in read.losses {
            let key = |key: &Key| format!("{} {}/{}", key.resource, key.namespace, key.name);
            // Without a record behind it, a seal may still tell how far the lost ones went.
            let sealed = (read.durable > loss.after).then_some(read.durable.0);
            let last_lost = loss.before.map(|before| before.0.saturating_sub(1)).or(sealed);
            self.damage.push(Damage {
                length: loss.length,
                first_lost: segment.map(|_| loss.after.0 + 1),
                last_lost: segment.and(last_lost),
                about: loss.keys.iter().map(key).collect(),
                ..Damage::at(name.to_owned(), loss.offset)
            });
        }
        self.revision = read.records.iter().map(|record| record.revision.0).chain([self.revision]).max().unwrap_or(0);
        self.records.extend(read.records);
        Ok(())
    }
}

/// Makes a journal of what can be read and puts it in the place of the damaged one, which becomes the folder `aside`.
/// Answers the revision at which the yard goes on: above everything that was ever told.
pub fn repair(folder: &Path, found: &Examined, aside: &Path) -> Result<u64, RepairError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| RepairError::File { path, source }
    };
    // A lost change took more than one byte, so there were fewer of them than bytes.
    let lost: usize = found.damage.iter().map(|damage| damage.length).sum();
    let known = found.damage.iter().filter_map(|damage| damage.last_lost).chain([found.revision]).max().unwrap_or(0);
    let revision = Revision(known + lost as u64 + 1);
    let snapshot = ApiServer::salvage(Config::default(), found.records.clone(), revision)?.snapshot();
    let fresh = folder.with_extension("new");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh).map_err(at(&fresh))?;
    }
    private_folder(&fresh).map_err(at(&fresh))?;
    let disk = RealDisk::new(&fresh, Arc::new(|| None)).map_err(at(&fresh))?;
    let written = disk.open(&recover::snapshot_name(revision), 0).and_then(|mut file| {
        file.append(&snapshot)?;
        file.sync()?;
        disk.sync_folder()
    });
    written.map_err(at(&fresh))?;
    let read = recover(&disk, None)?;
    ApiServer::restore(Config::default(), read.snapshot.as_deref(), read.records.into_iter().map(Ok))?;
    // In one step, so that at every moment there is a journal.
    rustix::fs::renameat_with(CWD, &fresh, CWD, folder, RenameFlags::EXCHANGE)
        .map_err(|error| at(folder)(error.into()))?;
    std::fs::rename(&fresh, aside).map_err(at(aside))?;
    let parent = folder.parent().unwrap_or(folder);
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(at(parent))?;
    Ok(revision.0)
}

#[cfg(test)]
mod tests;
