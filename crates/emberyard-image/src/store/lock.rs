//! One builder at a time: a lock that the system takes back when its holder dies.

use super::Store;
use crate::error::ImageError;
use crate::progress::Progress;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::path::PathBuf;

/// The right to change the store, until dropped.
#[derive(Debug)]
pub struct Held {
    _file: File,
    tmp: PathBuf,
}

impl Store {
    /// Waits for the right to change the store, and clears away what an interrupted holder left.
    pub fn hold(&self, progress: &mut dyn Progress) -> Result<Held, ImageError> {
        let path = self.dir().join("lock");
        let file = File::create(&path).map_err(ImageError::io("create", &path))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            progress.note("another build uses this store; waiting for it");
            flock(&file, FlockOperation::LockExclusive).map_err(|e| ImageError::io("lock", &path)(e.into()))?;
        }
        let tmp = self.dir().join("tmp");
        let held = Held { _file: file, tmp };
        held.clear()?;
        Ok(held)
    }
}

impl Held {
    /// An empty folder on the store's file system, cleared by the next holder if this one dies.
    pub fn scratch(&self, name: &str) -> Result<PathBuf, ImageError> {
        let folder = self.tmp.join(name);
        remove(&folder)?;
        fs::create_dir_all(&folder).map_err(ImageError::io("create", &folder))?;
        Ok(folder)
    }

    fn clear(&self) -> Result<(), ImageError> {
        remove(&self.tmp)?;
        fs::create_dir_all(&self.tmp).map_err(ImageError::io("create", &self.tmp))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.clear();
    }
}

/// Removes a tree even where its folders are read-only (overlay leaves `work` without any permission).
pub(super) fn remove(path: &std::path::Path) -> Result<(), ImageError> {
    match fs::remove_dir_all(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(_) => {
            open_up(path);
            fs::remove_dir_all(path).map_err(ImageError::io("remove", path))
        }
    }
}

fn open_up(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}
