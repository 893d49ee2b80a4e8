//! `/sys/fs/cgroup` of a container: its own control groups, to be read. Java sizes its heap and threads by them.

use super::{bind, make, point, put, set};
use crate::cgroup;
use crate::failure::{Step, Steps};
use rustix::fd::{AsFd, OwnedFd};
use rustix::mount::MountAttrFlags;
use std::path::{Path, PathBuf};

const HOME: &str = "/sys/fs/cgroup";

/// Mounts them; nothing where there are none, or no `/sys`.
pub fn mount(root: &OwnedFd, groups: &[PathBuf]) -> Step<()> {
    let (Some(_), false) = (point::existing(root, Path::new(HOME)), groups.is_empty()) else { return Ok(()) };
    let home = point::folder(root, Path::new(HOME))?;
    if let [only] = groups
        && cgroup::is_version_2(only)
    {
        return show(only, &home);
    }
    let strict =
        MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let stage = make("tmpfs", &[("mode", "755".to_owned()), ("size", "16k".to_owned())], strict)?;
    put(stage.as_fd(), home.as_fd()).step_on("mount", HOME)?;
    for group in groups {
        let path = Path::new(HOME).join(cgroup::name_of(group));
        show(group, &point::folder(root, &path)?)?;
    }
    let home = point::folder(root, Path::new(HOME))?;
    set(home.as_fd(), libc::MOUNT_ATTR_RDONLY, false).step_on("mount attributes", HOME)
}

fn show(group: &Path, point: &OwnedFd) -> Step<()> {
    let tree = bind::tree(group, None)?;
    let attributes =
        libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV | libc::MOUNT_ATTR_NOEXEC;
    set(tree.as_fd(), attributes, true).step_on("mount attributes", group.display())?;
    put(tree.as_fd(), point.as_fd()).step_on("mount", group.display())
}
