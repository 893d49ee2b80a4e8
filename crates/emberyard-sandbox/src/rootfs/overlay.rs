//! Image layers with a writable folder on top, by overlayfs.

use super::{Ids, as_owner, bind, make, open_path, put};
use crate::failure::{Failure, Step, Steps};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, mkdirat};
use rustix::mount::{MountAttrFlags, MountFlags};
use rustix::process::fchdir;
use std::ffi::CString;
use std::path::{Path, PathBuf};

const FOLDER: Mode = Mode::from_raw_mode(0o755);

/// Mounts the layers; the root is returned. Every layer is first attached to a small stage under a short name: the kernel's
/// page for mount options does not hold many long paths, and an id-mapped layer has no path at all.
pub fn mount(lowers: &[PathBuf], scratch: &Path, ids: &Ids<'_>, notes: &mut Vec<String>) -> Step<OwnedFd> {
    if lowers.is_empty() {
        return Err(Failure::new("mount overlay", "there is no layer"));
    }
    // What a former mount left in `work` would keep this one out.
    crate::sweep::remove_tree(&scratch.join("work"))?;
    for part in ["upper", "work"] {
        std::fs::create_dir_all(scratch.join(part)).step_on("mkdir", scratch.display())?;
    }
    let complaints = notes.len();
    let writable = layer(scratch, ids, notes)?;
    if notes.len() > complaints {
        // Not mapped: at least the top of it belongs to the pod's root.
        let root = Some(ids.root());
        std::os::unix::fs::chown(scratch.join("upper"), root, root).step_on("chown", scratch.display())?;
    }
    let lowers = lowers.iter().map(|lower| layer(lower, ids, notes)).collect::<Step<Vec<_>>>()?;
    let below = open_path(CWD, scratch)?;
    // The overlay goes on to make files as whoever mounts it.
    as_owner(ids)?;
    let tmpfs = make("tmpfs", &[("size", "256k".to_owned())], MountAttrFlags::MOUNT_ATTR_NODEV)?;
    put(tmpfs.as_fd(), below.as_fd()).step("mount of the stage")?;
    let stage = open_path(CWD, scratch)?;
    attach(&stage, "w", &writable)?;
    let mut names = Vec::new();
    for (number, lower) in lowers.iter().enumerate() {
        let name = number.to_string();
        attach(&stage, &name, lower)?;
        names.push(name);
    }
    mkdirat(&stage, "merged", FOLDER).step("mkdir")?;
    fchdir(&stage).step("chdir")?;
    // Overlays made in a user namespace keep their marks in user attributes.
    let own_marks = if is_real_root() { "" } else { ",userxattr" };
    let options = format!("lowerdir={},upperdir=w/upper,workdir=w/work{own_marks}", names.join(":"));
    let attempt = |extra: &str| {
        let options = CString::new(format!("{options}{extra}")).unwrap_or_default();
        rustix::mount::mount("overlay", "merged", "overlay", MountFlags::NODEV, options.as_c_str())
    };
    // A container's writable folder lives as long as the container, so nothing in it needs to reach the disk; a build's does.
    let mounted = if ids.map.is_some() { attempt(",volatile").or_else(|_| attempt("")) } else { attempt("") };
    mounted.step_on("mount overlay", scratch.display())?;
    open_path(stage.as_fd(), Path::new("merged"))
}

fn layer(path: &Path, ids: &Ids<'_>, notes: &mut Vec<String>) -> Step<OwnedFd> {
    let tree = bind::tree(path, None)?;
    bind::with_owner(tree, path, crate::pod::Owner::Pod, ids, notes)
}

fn attach(stage: &OwnedFd, name: &str, layer: &OwnedFd) -> Step<()> {
    mkdirat(stage, name, FOLDER).step("mkdir")?;
    let point = open_path(stage.as_fd(), Path::new(name))?;
    put(layer.as_fd(), point.as_fd()).step("mount of a layer")
}

/// Whether this is root of the machine and not of a user namespace.
fn is_real_root() -> bool {
    std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| map.split_whitespace().eq(["0", "0", "4294967295"]))
}
