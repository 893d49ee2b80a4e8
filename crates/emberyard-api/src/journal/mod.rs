//! The journal's files: segments of record frames, and snapshots that let older segments go.
//!
//! `journal-R.log` holds the frames after revision R, `snapshot-R.snap` the whole state at R. A batch of records is one
//! frame, appended and synced before anything that depends on it is said. The frames themselves, with checksums and the
//! difference between a torn end and damage, are `emberyard_cluster::journal`'s.

mod disk;
mod recover;
mod repair;

pub(crate) use disk::{Disk, LimitReached, RealDisk};
pub(crate) use recover::Recovered;
pub use recover::{JournalError, check_format};
pub use repair::{Damage, Examined, RepairError, examine, repair};

use disk::DiskFile;

use emberyard_cluster::{Record, Revision, journal};
use std::io;
use std::sync::Arc;

/// A segment is replaced by a snapshot when it is longer than this and longer than twice the last snapshot.
const SEGMENT_BYTES: u64 = 16 << 20;

/// The open journal. One owner: the committer.
pub(crate) struct Journal {
    disk: Arc<dyn Disk>,
    file: Box<dyn DiskFile>,
    /// Name of the segment being appended to.
    name: String,
    /// Its length up to the last synced frame, in bytes.
    length: u64,
    /// Length of the newest snapshot, in bytes.
    snapshot: u64,
    durable: Revision,
    /// The segment may end in bytes of a frame that failed.
    dirty: bool,
    /// The segment's last frame says that all before it was durable.
    sealed: bool,
    segment_bytes: u64,
}

impl Journal {
    /// Reads what is there, cuts off a torn end, and opens the journal for appending.
    pub fn open(disk: Arc<dyn Disk>) -> Result<(Self, Recovered), JournalError> {
        let recovered = recover::recover(disk.as_ref(), None)?;
        for name in &recovered.leftovers {
            disk.remove(name).map_err(|source| JournalError::file(name, source))?;
        }
        let name = recovered.segment.clone();
        let open = || {
            let file = disk.open(&name, recovered.length)?;
            disk.sync_folder().map(|()| file)
        };
        let file = open().map_err(|source| JournalError::file(&name, source))?;
        let journal = Self {
            file,
            length: recovered.length,
            snapshot: recovered.snapshot.as_ref().map_or(0, |s| s.len() as u64),
            durable: recovered.revision,
            dirty: false,
            sealed: false,
            segment_bytes: SEGMENT_BYTES,
            name,
            disk,
        };
        Ok((journal, recovered))
    }

    /// The same with another segment length, in bytes.
    #[cfg(test)]
    #[must_use]
    fn with_segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// The newest revision that survives a power cut.
    pub fn durable(&self) -> Revision {
        self.durable
    }

    /// Appends one batch and makes it durable. After an error nothing of the batch counts, and nothing more can be
    /// appended before [`Self::repair`] succeeds.
    pub fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let Some(last) = records.last() else { return Ok(()) };
        if self.dirty {
            return Err(io::Error::other("an earlier write failed and was not undone yet"));
        }
        let frame = journal::encode(records, self.durable);
        self.dirty = true;
        self.file.append(&frame)?;
        self.file.sync()?;
        self.dirty = false;
        self.sealed = false;
        self.length += frame.len() as u64;
        self.durable = last.revision;
        Ok(())
    }

    /// Writes down that the last batch is durable, so that damage to it is not taken for a torn end. Not synced: a power
    /// cut may take the seal along.
    pub fn seal(&mut self) {
        if self.sealed || self.dirty || self.durable == Revision(0) {
            return;
        }
        self.sealed = true;
        let frame = journal::encode(&[], self.durable);
        match self.file.append(&frame) {
            Ok(()) => self.length += frame.len() as u64,
            // What was written of it goes with the next repair.
            Err(_) => self.dirty = self.file.cut(self.length).is_err(),
        }
    }

    /// Undoes what a failed append left, and tries whether the disk takes data again.
    pub fn repair(&mut self) -> io::Result<()> {
        self.file.cut(self.length)?;
        let probe = "probe.tmp";
        let tried = self.disk.open(probe, 0).and_then(|mut file| {
            file.append(&[0; 16 << 10])?;
            file.sync()
        });
        let removed = self.disk.remove(probe);
        tried.and(removed)?;
        self.dirty = false;
        Ok(())
    }

    /// Reads the durable state again (after a failed append: without what failed).
    pub fn reread(&self) -> Result<Recovered, JournalError> {
        recover::recover(self.disk.as_ref(), Some((&self.name, self.length)))
    }

    /// Whether the segment has grown enough to be replaced by a snapshot. Under a limit that is earlier: the old snapshot,
    /// the segment and the new snapshot lie there together for a moment.
    pub fn wants_snapshot(&self) -> bool {
        let segment = self.disk.limit().map_or(self.segment_bytes, |limit| self.segment_bytes.min(limit / 3));
        !self.dirty && self.length > segment.max(2 * self.snapshot)
    }

    /// Keeps a snapshot of the state at [`Self::durable`], begins a new segment and drops what is no longer needed.
    /// After an error the journal goes on as before.
    pub fn keep_snapshot(&mut self, snapshot: &[u8]) -> io::Result<()> {
        let name = recover::snapshot_name(self.durable);
        let temporary = format!("{name}.tmp");
        let written = self.disk.open(&temporary, 0).and_then(|mut file| {
            file.append(snapshot)?;
            file.sync()
        });
        if let Err(error) = written.and_then(|()| self.disk.rename(&temporary, &name)) {
            // What is left of it would be removed at the next start as well.
            let _ = self.disk.remove(&temporary);
            return Err(error);
        }
        self.disk.sync_folder()?;
        self.snapshot = snapshot.len() as u64;
        let segment = recover::segment_name(self.durable);
        if segment == self.name {
            return Ok(());
        }
        let file = self.disk.open(&segment, 0)?;
        self.disk.sync_folder()?;
        (self.file, self.name, self.length, self.sealed) = (file, segment, 0, true);
        for old in self.disk.list()? {
            if recover::is_older(&old, self.durable) {
                self.disk.remove(&old)?;
            }
        }
        self.disk.sync_folder()
    }
}

#[cfg(test)]
mod cuts;
#[cfg(test)]
pub(crate) mod model;
