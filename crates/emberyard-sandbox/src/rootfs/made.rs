//! Mount points that had to be made in an image's own files, and their removal: an image is not to carry empty files that
//! only stood for the machine's.

use super::Base;
use super::point::existing;
use rustix::fd::AsFd;
use rustix::fs::{AtFlags, CWD, unlinkat};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What always becomes a mount point.
const USUAL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// The points that are missing before, by the folder that takes changes.
pub struct MadePoints {
    changes: PathBuf,
    missing: BTreeSet<PathBuf>,
}

impl MadePoints {
    /// Looks before anything is mounted. On layers also folders that only got a copy in `upper` to hold a mount point count.
    pub fn look<'a>(base: &Base<'_>, targets: impl Iterator<Item = &'a Path>) -> Self {
        let changes = match base {
            Base::Folder(folder) => folder.to_path_buf(),
            Base::Layers(_, scratch) => scratch.join("upper"),
        };
        let root = super::open_path(CWD, &changes).ok();
        let missing = targets
            .chain(USUAL.iter().map(Path::new))
            .flat_map(Path::ancestors)
            .filter(|path| root.as_ref().is_some_and(|root| existing(root, path).is_none()))
            .map(Path::to_owned)
            .collect();
        Self { changes, missing }
    }

    /// Removes those that are there now and empty, deepest first.
    pub fn remove(self) {
        let Ok(root) = super::open_path(CWD, &self.changes) else { return };
        for path in self.missing.iter().rev() {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { continue };
            let Some(parent) = existing(&root, parent) else { continue };
            let Ok(meta) = rustix::fs::statat(parent.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let kind = rustix::fs::FileType::from_raw_mode(meta.st_mode);
            let _not_empty = if kind.is_dir() {
                unlinkat(&parent, name, AtFlags::REMOVEDIR)
            } else if kind.is_file() && meta.st_size == 0 {
                unlinkat(&parent, name, AtFlags::empty())
            } else {
                continue;
            };
        }
    }
}
