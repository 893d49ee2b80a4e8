//! Folders and files of the machine, shown inside with the owner that fits.

use super::{Ids, is_folder, point};
use crate::failure::{Failure, Step, Steps};
use crate::pod::{IdMap, Owner};
use crate::{namespace, sys};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::CWD;
use rustix::mount::{OpenTreeFlags, open_tree};
use std::path::Path;

/// A copy of what is mounted at a path, mounts below included, not yet attached.
pub fn tree(path: &Path, sub_path: Option<&Path>) -> Step<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let Some(sub_path) = sub_path else {
        return open_tree(CWD, path, flags).step_on("open", path.display());
    };
    let folder = super::open_path(CWD, path)?;
    let wanted = Path::new("/").join(sub_path);
    // A file is taken as it is; anything missing becomes a folder.
    let place = match point::existing(&folder, &wanted) {
        Some(place) => place,
        None => point::folder(&folder, &wanted)?,
    };
    open_tree(&place, "", flags | OpenTreeFlags::AT_EMPTY_PATH).step_on("open", path.join(sub_path).display())
}

/// Presents a tree with ids that mean something in the pod. Where the file system cannot, it is shown as it is, with a note.
pub fn with_owner(tree: OwnedFd, path: &Path, owner: Owner, ids: &Ids<'_>, notes: &mut Vec<String>) -> Step<OwnedFd> {
    let Some(IdMap::Range { base }) = ids.map else { return Ok(tree) };
    let mapped = match owner {
        Owner::Machine => return Ok(tree),
        Owner::Pod => match ids.user_namespace {
            Some(user_namespace) => map(&tree, user_namespace),
            None => return Ok(tree),
        },
        Owner::Folder => {
            let meta = rustix::fs::fstat(&tree).step_on("stat", path.display())?;
            let (uid, gid) = ids.user;
            let mapping = namespace::mapping(&[(meta.st_uid, base + uid, 1)], &[(meta.st_gid, base + gid, 1)])?;
            map(&tree, mapping.as_fd())
        }
    };
    if let Err(failure) = mapped {
        notes.push(format!(
            "{} is shown with the machine's owners, its file system has no id-mapped mounts ({})",
            path.display(),
            failure.message
        ));
    }
    Ok(tree)
}

/// Maps the ids of a tree; only the top mount when one below refuses.
pub fn map(tree: &OwnedFd, user_namespace: BorrowedFd<'_>) -> Result<(), Failure> {
    let deep = is_folder(tree)?;
    sys::mount_setattr(tree.as_fd(), 0, Some(user_namespace), deep)
        .or_else(|_| sys::mount_setattr(tree.as_fd(), 0, Some(user_namespace), false))
        .step("id-mapped mount")
}
