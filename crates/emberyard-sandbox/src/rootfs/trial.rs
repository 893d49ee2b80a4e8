//! Whether the parts work here, tried without leaving anything.

use super::{Ids, bind, make, overlay};
use crate::failure::Step;
use crate::namespace;
use rustix::fd::AsFd;
use rustix::mount::MountAttrFlags;
use std::path::{Path, PathBuf};

/// A part to try.
pub enum Trial<'a> {
    /// The `/proc` of the current pid namespace.
    Proc,
    /// An overlay with `upper` and `work` in `scratch`, in which a file can be made.
    Overlay {
        /// An empty layer.
        lower: &'a Path,
        /// A writable folder.
        scratch: &'a Path,
    },
    /// An id-mapped mount of a folder.
    IdMapped(&'a Path),
}

/// Tries one.
pub fn attempt(trial: &Trial<'_>) -> Step<()> {
    match trial {
        Trial::Proc => make("proc", &[], MountAttrFlags::empty()).map(drop),
        Trial::Overlay { lower, scratch } => {
            let ids = Ids { map: None, user_namespace: None, user: (0, 0) };
            let root = overlay::mount(&[PathBuf::from(lower)], scratch, &ids, &mut Vec::new())?;
            super::point::file(&root, Path::new("/new/file")).map(drop)
        }
        Trial::IdMapped(folder) => {
            let first = crate::pod::IdMap::FIRST_BASE;
            let mapping = namespace::mapping(&[(0, first, 1)], &[(0, first, 1)])?;
            bind::map(&bind::tree(folder, None)?, mapping.as_fd())
        }
    }
}
