//! Joining namespaces, mapping ids, settings of a network namespace.

use crate::failure::{Failure, Step, Steps};
use crate::process::ProcessId;
use crate::sys;
use rustix::thread::{ThreadNameSpaceType as Kinds, UnshareFlags, move_into_thread_name_spaces};
use std::fmt::Write as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

/// Inside, outside, count.
pub type Extent = (u32, u32, u32);

/// Joins the user namespace of a process, unless already in it, and the `kinds` asked for.
pub fn join(process: &ProcessId, kinds: Kinds) -> Step<()> {
    let pidfd = process.pidfd()?;
    let user = if same_user_namespace(process.pid) { Kinds::empty() } else { Kinds::USER };
    if (kinds | user).is_empty() {
        return Ok(());
    }
    move_into_thread_name_spaces(pidfd.as_fd(), kinds | user)
        .step_on("joining namespaces", format!("process {}", process.pid))
}

/// Joining one's own user namespace again is an error, so it must be known.
fn same_user_namespace(pid: i32) -> bool {
    let identity =
        |process: &str| std::fs::metadata(format!("/proc/{process}/ns/user")).map(|meta| (meta.dev(), meta.ino())).ok();
    let own = identity("self");
    own.is_some() && own == identity(&pid.to_string())
}

/// The network namespace of a process.
pub fn network_of(process: &ProcessId) -> std::io::Result<OwnedFd> {
    Ok(std::fs::File::open(format!("/proc/{}/ns/net", process.pid))?.into())
}

/// Moves this process into a new user namespace in which the caller is root, and nobody else exists.
pub fn become_root_of_new_user_namespace() -> Step<()> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    sys::unshare(UnshareFlags::NEWUSER).step("new user namespace")?;
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/gid_map", &format!("0 {gid} 1"))?;
    write("/proc/self/uid_map", &format!("0 {uid} 1"))
}

/// Maps the ids of a child's new user namespace.
pub fn map_ids(child: &ProcessId, uids: &[Extent], gids: &[Extent]) -> Step<()> {
    for (file, extents) in [("gid_map", gids), ("uid_map", uids)] {
        let mut text = String::new();
        for (inside, outside, count) in extents {
            let _infallible = writeln!(text, "{inside} {outside} {count}");
        }
        write(&format!("/proc/{}/{file}", child.pid), &text)?;
    }
    Ok(())
}

/// A user namespace that serves only as a mapping for mounts. Made and kept alive by its descriptor, without a process.
pub fn mapping(uids: &[Extent], gids: &[Extent]) -> Step<OwnedFd> {
    let (wait, go) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).step("pipe")?;
    match sys::fork(libc::CLONE_NEWUSER).step("new user namespace")? {
        sys::Forked::Child => {
            drop(go);
            let _ended = rustix::io::read(&wait, &mut [0]);
            sys::exit(0)
        }
        sys::Forked::Parent { pidfd, .. } => {
            let made = ProcessId::of_pidfd(pidfd.as_fd()).map_err(Failure::from).and_then(|child| {
                map_ids(&child, uids, gids)?;
                let path = format!("/proc/{}/ns/user", child.pid);
                std::fs::File::open(&path).step_on("open", path)
            });
            drop(go);
            crate::process::reap(pidfd.as_fd());
            Ok(made?.into())
        }
    }
}

/// A fresh network namespace with `lo` up.
pub fn new_network() -> Step<()> {
    sys::unshare(UnshareFlags::NEWNET).step("new network namespace")?;
    sys::loopback_up().step("bringing up lo")
}

/// Sets a sysctl of the current namespaces, given with dots.
pub fn sysctl(name: &str, value: &str) -> Step<()> {
    if name.is_empty() || name.contains("..") || name.starts_with(['.', '/']) {
        return Err(Failure::new("sysctl", format!("\"{name}\" is not a name")));
    }
    write(&format!("/proc/sys/{}", name.replace('.', "/")), value)
}

/// Enters a namespace by its descriptor.
pub fn enter(namespace: BorrowedFd<'_>, name: &str) -> Step<()> {
    rustix::thread::move_into_link_name_space(namespace, None).step_on("joining namespace", name)
}

fn write(path: &str, text: &str) -> Step<()> {
    std::fs::write(path, text).step_on("write", path)
}
