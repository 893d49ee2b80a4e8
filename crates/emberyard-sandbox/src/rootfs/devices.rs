//! `/proc`, `/sys` and `/dev` of a container.

use super::{Ids, make, point, put, set};
use crate::failure::{Step, Steps};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, symlinkat};
use rustix::mount::{MountAttrFlags, OpenTreeFlags, open_tree};
use std::path::Path;

/// Devices every program may count on.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// Links from `/dev`.
const LINKS: [(&str, &str); 5] = [
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
    ("pts/ptmx", "ptmx"),
];
/// Parts of `/proc` that nobody may write.
const READ_ONLY: [&str; 5] = ["/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/sysrq-trigger"];
/// Parts of `/proc` that tell about the machine.
const HIDDEN: [&str; 5] = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/latency_stats"];

/// Mounts them all.
pub fn mount(root: &OwnedFd, shm_size: u64, ids: &Ids<'_>) -> Step<()> {
    let strict =
        MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    on(root, "/proc", &make("proc", &[], strict)?)?;
    // The machine's hardware, read-only. Only in a network namespace of the yard's; nothing of it is needed elsewhere.
    if let Ok(sysfs) = make("sysfs", &[], strict | MountAttrFlags::MOUNT_ATTR_RDONLY) {
        on(root, "/sys", &sysfs)?;
    }
    let owner = [("uid", ids.root().to_string()), ("gid", ids.root().to_string())];
    let tmpfs = |mode: &str, size: String, flags| {
        let own = [("mode", mode.to_owned()), ("size", size)];
        make("tmpfs", &[own.as_slice(), owner.as_slice()].concat(), flags)
    };
    let plain = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    on(root, "/dev", &tmpfs("755", "64k".to_owned(), plain)?)?;
    for device in DEVICES {
        let path = Path::new("/dev").join(device);
        bind(root, &path, &path)?;
    }
    let dev = point::folder(root, Path::new("/dev"))?;
    for (to, name) in LINKS {
        symlinkat(to, &dev, name).step_on("link", name)?;
    }
    let modes = [("mode", "620".to_owned()), ("ptmxmode", "666".to_owned())];
    on(
        root,
        "/dev/pts",
        &make("devpts", &modes, MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC)?,
    )?;
    on(root, "/dev/shm", &tmpfs("1777", shm_size.to_string(), strict)?)?;
    READ_ONLY.iter().try_for_each(|path| read_only(root, Path::new(path)))?;
    HIDDEN
        .iter()
        .map(Path::new)
        .filter(|path| point::existing(root, path).is_some())
        .try_for_each(|path| bind(root, Path::new("/dev/null"), path))
}

fn on(root: &OwnedFd, path: &str, tree: &OwnedFd) -> Step<()> {
    let point = point::folder(root, Path::new(path))?;
    put(tree.as_fd(), point.as_fd()).step_on("mount", path)
}

/// The machine's device file at a path inside.
fn bind(root: &OwnedFd, device: &Path, target: &Path) -> Step<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, device, flags).step_on("open", device.display())?;
    let point = point::file(root, target)?;
    put(tree.as_fd(), point.as_fd()).step_on("mount", target.display())
}

/// Lays a read-only copy of a part over itself; parts that do not exist are passed over.
fn read_only(root: &OwnedFd, path: &Path) -> Step<()> {
    let Some(part) = point::existing(root, path) else { return Ok(()) };
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = open_tree(&part, "", flags).step_on("open", path.display())?;
    set(tree.as_fd(), libc::MOUNT_ATTR_RDONLY, false).step_on("mount attributes", path.display())?;
    put(tree.as_fd(), part.as_fd()).step_on("mount", path.display())
}
