//! Mount points inside a root file system, made where they are missing. Symbolic links in it never lead out of it.

use super::inside;
use crate::failure::{Step, Steps};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, openat2};
use rustix::io::Errno;
use std::path::{Component, Path, PathBuf};

const FOLDER: Mode = Mode::from_raw_mode(0o755);
const FILE: Mode = Mode::from_raw_mode(0o644);

/// The folder at an absolute path inside.
pub fn folder(root: &OwnedFd, path: &Path) -> Step<OwnedFd> {
    let mut reached = PathBuf::from(".");
    let mut here = look(root, &reached, OFlags::DIRECTORY).step_on("open", path.display())?;
    for part in inside(path)?.components() {
        let Component::Normal(name) = part else { continue };
        reached.push(name);
        here = match look(root, &reached, OFlags::DIRECTORY) {
            Err(Errno::NOENT) => {
                mkdirat(&here, name, FOLDER).step_on("mkdir", path.display())?;
                look(root, &reached, OFlags::DIRECTORY)
            }
            found => found,
        }
        .step_on("open", path.display())?;
    }
    Ok(here)
}

/// Something other than a folder at an absolute path inside; an empty file if there is nothing.
pub fn file(root: &OwnedFd, path: &Path) -> Step<OwnedFd> {
    let relative = inside(path)?;
    match look(root, relative, OFlags::empty()) {
        Err(Errno::NOENT) => {
            if let Some(parent) = path.parent() {
                folder(root, parent)?;
            }
            // By the same rules, also where the last part is a link to what does not exist yet.
            let target = real_target(root, relative);
            if let Some(parent) = target.parent() {
                folder(root, &Path::new("/").join(parent))?;
            }
            let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
            openat2(root, &target, flags, FILE, ResolveFlags::IN_ROOT).step_on("create", path.display())?;
            look(root, &target, OFlags::empty()).step_on("open", path.display())
        }
        found => found.step_on("open", path.display()),
    }
}

fn look(root: &OwnedFd, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    openat2(root, path, OFlags::PATH | OFlags::CLOEXEC | flags, Mode::empty(), ResolveFlags::IN_ROOT)
}

/// Follows a last part that is a dangling link, a few steps at most.
fn real_target(root: &OwnedFd, path: &Path) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let mut path = path.to_owned();
    for _step in 0..8 {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(link) = openat2(root, &path, flags, Mode::empty(), ResolveFlags::IN_ROOT) else { break };
        let Ok(to) = rustix::fs::readlinkat(&link, "", Vec::new()) else { break };
        let to = PathBuf::from(std::ffi::OsString::from_vec(to.into_bytes()));
        path = path.parent().unwrap_or(Path::new("")).join(to);
        path = path.strip_prefix("/").map(Path::to_owned).unwrap_or(path);
    }
    path
}

/// What is at an absolute path inside, if anything is.
pub fn existing(root: &OwnedFd, path: &Path) -> Option<OwnedFd> {
    look(root, inside(path).ok()?, OFlags::empty()).ok()
}
