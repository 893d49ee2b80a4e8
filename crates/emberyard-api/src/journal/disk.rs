//! The few things a journal asks of a disk, so that tests can stand in with one that loses what was not synced.

use crate::config::JournalLimit;
use crate::pki::files::private_folder;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A folder on a disk. Names are plain file names in it.
pub trait Disk: Send + Sync {
    /// Names of all files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A file's whole content.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// Opens for appending, making the file when it is missing, and cuts it to `length` bytes first.
    fn open(&self, name: &str, length: u64) -> io::Result<Box<dyn DiskFile>>;
    /// Gives a file another name, replacing what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes new, renamed and removed names durable.
    fn sync_folder(&self) -> io::Result<()>;
    /// How many bytes all files may have together, if somebody set a limit.
    fn limit(&self) -> Option<u64> {
        None
    }
}

/// A file open for appending.
pub trait DiskFile: Send {
    /// Adds bytes at the end; an error may leave a part of them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything appended durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to `length` bytes and makes that durable.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// A folder of the file system; files are 0600, the folder 0700. Full when the file system is, or when the folder's files
/// would pass the limit.
pub struct RealDisk {
    folder: PathBuf,
    limit: JournalLimit,
}

impl RealDisk {
    /// The folder, made when missing.
    pub fn new(folder: &Path, limit: JournalLimit) -> io::Result<Self> {
        private_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), limit })
    }
}

/// The files have reached the size that the yard's settings allow; comes inside an error of the kind `StorageFull`.
#[derive(Debug, thiserror::Error)]
#[error("the journal may have {0} bytes")]
pub struct LimitReached(u64);

impl Disk for RealDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.folder.join(name))
    }

    fn open(&self, name: &str, length: u64) -> io::Result<Box<dyn DiskFile>> {
        let path = self.folder.join(name);
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if file.metadata()?.len() != length {
            file.set_len(length)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::End(0))?;
        Ok(Box::new(RealFile { file, folder: self.folder.clone(), limit: self.limit.clone() }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn limit(&self) -> Option<u64> {
        (self.limit)()
    }
}

struct RealFile {
    file: File,
    folder: PathBuf,
    limit: JournalLimit,
}

impl RealFile {
    /// How many bytes more the limit leaves.
    fn room(&self, limit: u64) -> io::Result<u64> {
        let sizes = fs::read_dir(&self.folder)?.map(|entry| entry?.metadata().map(|meta| meta.len()));
        Ok(limit.saturating_sub(sizes.sum::<io::Result<u64>>()?))
    }
}

impl DiskFile for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(limit) = (self.limit)() else { return self.file.write_all(bytes) };
        let room = usize::try_from(self.room(limit)?).unwrap_or(usize::MAX);
        // As a full file system does: what fits is written.
        self.file.write_all(&bytes[..bytes.len().min(room)])?;
        if bytes.len() <= room {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::StorageFull, LimitReached(limit)))
    }

    fn sync(&mut self) -> io::Result<()> {
        // The length is metadata that fdatasync includes, for the data could not be read back without it.
        self.file.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::End(0))?;
        self.file.sync_all()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Journal;
    use super::*;
    use emberyard_cluster::{Change, Key, Record, Revision};
    use emberyard_model::Timestamp;
    use std::sync::Arc;

    /// Leases are renewed for ever: what was overwritten must not count against the limit.
    #[test]
    fn the_journal_becomes_a_snapshot_before_it_reaches_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let limit = 400_000;
        let disk = RealDisk::new(folder.path(), Arc::new(move || Some(limit))).unwrap();
        let (mut journal, _) = Journal::open(Arc::new(disk)).unwrap();
        let snapshot = vec![0; 90_000];
        for revision in 1..=500 {
            let key = Key::new("leases", "kube-node-lease", "node-1");
            let json = vec![b'x'; 5_000].into();
            let renewed = Record { revision: Revision(revision), time: Timestamp(0), change: Change::Put, key, json };
            journal.append(&[renewed]).unwrap();
            if journal.wants_snapshot() {
                journal.keep_snapshot(&snapshot).unwrap();
            }
        }
        let sizes = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
        assert!(sizes.sum::<u64>() <= limit);
    }
}
