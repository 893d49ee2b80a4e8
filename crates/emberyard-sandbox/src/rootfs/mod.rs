//! Building a root file system of one's own and moving into it. Runs in a process that has a mount namespace to itself and
//! all rights over it (root, or root of the yard's user namespace).

mod bind;
mod devices;
mod groups;
mod made;
mod overlay;
mod point;
mod trial;

pub use made::MadePoints;
pub use trial::{Trial, attempt};

use crate::failure::{Failure, Step, Steps};
use crate::pod::{IdMap, MountSource, MountSpec};
use crate::sys;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, mount_change, move_mount, unmount,
};
use rustix::process::{fchdir, pivot_root};
use rustix::thread::UnshareFlags;
use std::path::{Path, PathBuf};

/// What a root file system is made of.
pub struct Plan<'a> {
    /// Its base.
    pub base: Base<'a>,
    /// No writing to the base.
    pub read_only: bool,
    /// Mounted in this order on top of the usual ones.
    pub mounts: &'a [MountSpec],
    /// Size of `/dev/shm`, bytes.
    pub shm_size: u64,
    /// Whose ids are seen.
    pub ids: Ids<'a>,
    /// Made if missing.
    pub cwd: &'a Path,
    /// Its own control groups, which it may read: runtimes find their limits there.
    pub groups: &'a [PathBuf],
}

/// Where the files come from.
pub enum Base<'a> {
    /// A folder itself.
    Folder(&'a Path),
    /// Layers, topmost first, and a folder for `upper` and `work`.
    Layers(&'a [PathBuf], &'a Path),
}

/// How ids are presented.
#[derive(Clone, Copy)]
pub struct Ids<'a> {
    /// The pod's mapping; `None` where inside and outside are one (image builds).
    pub map: Option<IdMap>,
    /// The pod's user namespace, which maps like `map`.
    pub user_namespace: Option<BorrowedFd<'a>>,
    /// The user inside, who is to own the user's own folders.
    pub user: (u32, u32),
}

impl Ids<'_> {
    /// The pod's root, as this process has to name it.
    pub fn root(&self) -> u32 {
        match self.map {
            Some(IdMap::Range { base }) => base,
            Some(IdMap::Single { .. }) | None => 0,
        }
    }
}

/// Default size of `/dev/shm`, as container engines have it.
pub const SHM_SIZE: u64 = 64 << 20;

/// Gives this process its own mount namespace, into which the machine's changes come but none leave.
pub fn own_mounts() -> Step<()> {
    sys::unshare(UnshareFlags::NEWNS).step("new mount namespace")?;
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC).step("mount propagation")
}

/// Builds the root file system and moves this process into it. Returns what could not be done as asked.
pub fn enter(plan: &Plan<'_>) -> Step<Vec<String>> {
    let mut notes = Vec::new();
    let root = match plan.base {
        Base::Folder(folder) => {
            let tree = bind::tree(folder, None)?;
            place(tree.as_fd(), CWD, folder).step_on("mount", folder.display())?;
            open_path(CWD, folder)?
        }
        Base::Layers(lowers, scratch) => overlay::mount(lowers, scratch, &plan.ids, &mut notes)?,
    };
    devices::mount(&root, plan.shm_size, &plan.ids)?;
    groups::mount(&root, plan.groups)?;
    for mount in plan.mounts {
        add(&root, mount, &plan.ids, &mut notes)?;
    }
    point::folder(&root, plan.cwd)?;
    if plan.read_only {
        set(root.as_fd(), libc::MOUNT_ATTR_RDONLY, false).step("read-only root")?;
    }
    fchdir(&root).step("chdir")?;
    pivot_root(".", ".").step("pivot_root")?;
    // Both roots are now stacked on one another; the old one goes.
    unmount(".", UnmountFlags::DETACH).step("unmount of the old root")?;
    rustix::process::chdir("/").step("chdir")?;
    Ok(notes)
}

/// From here on files are made as the pod's root, with all rights kept: others would have no name in an id-mapped mount.
fn as_owner(ids: &Ids<'_>) -> Step<()> {
    use rustix::thread::{CapabilitiesSecureBits, set_capabilities_secure_bits};
    if matches!(ids.map, Some(IdMap::Range { .. })) {
        set_capabilities_secure_bits(CapabilitiesSecureBits::NO_SETUID_FIXUP).step("keeping capabilities")?;
        sys::set_fs_ids(ids.root(), ids.root());
    }
    Ok(())
}

fn add(root: &OwnedFd, mount: &MountSpec, ids: &Ids<'_>, notes: &mut Vec<String>) -> Step<()> {
    let target = &mount.target;
    let read_only = if mount.read_only { libc::MOUNT_ATTR_RDONLY } else { 0 };
    match &mount.source {
        MountSource::Bind { path, sub_path, owner } => {
            let tree = bind::tree(path, sub_path.as_deref())?;
            let tree = bind::with_owner(tree, path, *owner, ids, notes)?;
            let attributes = read_only | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
            set(tree.as_fd(), attributes, true).step_on("mount attributes", path.display())?;
            let point = if is_folder(&tree)? { point::folder(root, target)? } else { point::file(root, target)? };
            put(tree.as_fd(), point.as_fd()).step_on("mount", format!("{} on {}", path.display(), target.display()))
        }
        MountSource::Tmpfs { size, mode } => {
            let point = point::folder(root, target)?;
            let mut options = vec![("mode", format!("{mode:o}"))];
            options.extend(size.map(|size| ("size", size.to_string())));
            options.extend([("uid", ids.root().to_string()), ("gid", ids.root().to_string())]);
            let tree = make("tmpfs", &options, MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV)?;
            set(tree.as_fd(), read_only, false).step("mount attributes")?;
            put(tree.as_fd(), point.as_fd()).step_on("mount", target.display())
        }
    }
}

/// A new file system, not yet attached anywhere.
fn make(kind: &str, options: &[(&str, String)], attributes: MountAttrFlags) -> Step<OwnedFd> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).step_on("fsopen", kind)?;
    for (name, value) in options {
        fsconfig_set_string(&context, *name, value.as_str()).step_on("fsconfig", format!("{kind} {name}={value}"))?;
    }
    fsconfig_create(&context).step_on("fsconfig", kind)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).step_on("fsmount", kind)
}

/// Attaches a tree to a mount point that is open.
fn put(tree: BorrowedFd<'_>, point: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(tree, "", point, "", flags)
}

/// Attaches a tree to a mount point by path.
fn place(tree: BorrowedFd<'_>, dir: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<()> {
    move_mount(tree, "", dir, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

/// Adds attributes to a mount.
fn set(tree: BorrowedFd<'_>, attributes: u64, recursive: bool) -> std::io::Result<()> {
    if attributes == 0 { Ok(()) } else { sys::mount_setattr(tree, attributes, None, recursive) }
}

fn open_path(dir: BorrowedFd<'_>, path: &Path) -> Step<OwnedFd> {
    rustix::fs::openat(dir, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).step_on("open", path.display())
}

fn is_folder(tree: &OwnedFd) -> Step<bool> {
    let meta = rustix::fs::fstat(tree).step("stat")?;
    Ok(rustix::fs::FileType::from_raw_mode(meta.st_mode).is_dir())
}

/// An absolute path inside, made relative to the root.
fn inside(path: &Path) -> Step<&Path> {
    path.strip_prefix("/").map_err(|_| Failure::new("path inside", format!("{} is not absolute", path.display())))
}
