//! The crate's only `unsafe`: system calls for which rustix has no safe form. Each function is safe to call from the
//! single-threaded roles of this crate; the ones that would not be in a threaded process say so.
#![allow(unsafe_code)]

use rustix::process::Pid;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

/// Which side of a fork one is on.
pub enum Forked {
    /// The new process.
    Child,
    /// The old one.
    Parent {
        /// The child's pid in the caller's pid namespace.
        pid: Pid,
        /// The child.
        pidfd: OwnedFd,
    },
}

/// What the last failed call said, or the value.
fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Forks, into new namespaces (`CLONE_NEW*` bits) if any. Only for single-threaded processes.
pub fn fork(namespaces: i32) -> io::Result<Forked> {
    let mut pidfd: RawFd = -1;
    // SAFETY: `clone_args` is plain integers for which all-zero is valid.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (libc::CLONE_PIDFD | namespaces) as u64;
    args.pidfd = &raw mut pidfd as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: without CLONE_VM and a new stack this is fork(2): the child runs on its own copy of the memory. No other thread
    // exists in the roles that call it, so no lock can be left taken. The kernel writes one descriptor into `pidfd`, which
    // outlives the call.
    let pid =
        checked(unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, std::mem::size_of::<libc::clone_args>()) })?;
    match Pid::from_raw(pid as i32) {
        None => Ok(Forked::Child),
        // SAFETY: the kernel has just opened this descriptor for us and nobody else knows it.
        Some(pid) => Ok(Forked::Parent { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } }),
    }
}

/// Leaves namespaces shared with others (`CLONE_NEW*` bits only).
pub fn unshare(namespaces: rustix::thread::UnshareFlags) -> io::Result<()> {
    debug_assert!(!namespaces.contains(rustix::thread::UnshareFlags::FILES));
    // SAFETY: unsafe only for UnshareFlags::FILES, which no caller passes.
    unsafe { rustix::thread::unshare_unsafe(namespaces)? };
    Ok(())
}

/// Ends the process at once, without running destructors of the process it was forked from.
pub fn exit(code: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(code) }
}

/// Sets the ids used for access to files, keeping the others. Failures are silent, as the call has none to report.
pub fn set_fs_ids(uid: u32, gid: u32) {
    // SAFETY: both take plain numbers and change only this thread's credentials.
    unsafe {
        libc::setfsgid(gid);
        libc::setfsuid(uid);
    }
}

/// Gives every signal its default action and unblocks all.
pub fn default_signals() {
    // SAFETY: SIG_DFL installs no handler, so no code of ours can run in signal context; the mask is a local, initialised by
    // sigemptyset. SIGKILL, SIGSTOP and the C library's own signals refuse, which is fine.
    unsafe {
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Lets the kernel reap this process's children, own and inherited.
pub fn reap_automatically() {
    // SAFETY: SIG_IGN installs no handler.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// Sends any signal, real-time ones included.
pub fn pidfd_signal(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: a borrowed descriptor is open; a null siginfo is allowed.
    checked(unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, std::ptr::null::<libc::siginfo_t>(), 0)
    })?;
    Ok(())
}

/// Adds attributes (`MOUNT_ATTR_*`) to the mount a descriptor stands for, optionally mapping its ids by a user namespace.
pub fn mount_setattr(
    mount: BorrowedFd<'_>,
    add: u64,
    idmap: Option<BorrowedFd<'_>>,
    recursive: bool,
) -> io::Result<()> {
    // SAFETY: `mount_attr` is plain integers for which all-zero is valid.
    let mut attr: libc::mount_attr = unsafe { std::mem::zeroed() };
    attr.attr_set = add;
    if let Some(user_namespace) = idmap {
        attr.attr_set |= libc::MOUNT_ATTR_IDMAP;
        attr.userns_fd = user_namespace.as_raw_fd() as u64;
    }
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: path and attributes outlive the call, and the size given is theirs.
    checked(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            std::mem::size_of::<libc::mount_attr>(),
        )
    })?;
    Ok(())
}

/// Marks every descriptor from 3 on as close-on-exec.
pub fn close_others_on_exec() -> io::Result<()> {
    // SAFETY: CLOSE_RANGE_CLOEXEC closes nothing now, so no owner in this process loses its descriptor.
    checked(unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) })?;
    Ok(())
}

/// Closes every descriptor from 3 on. Only for a process that from now on does nothing but wait: its owners are void.
pub fn close_others() {
    // SAFETY: callers own no descriptor that they use afterwards.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
}

/// Closes every descriptor from 3 on but one. Only for a process that has just been executed and opened nothing else: what is
/// open then came from whoever started it, unasked.
pub fn close_inherited(keep: BorrowedFd<'_>) {
    let keep = keep.as_raw_fd() as u32;
    // SAFETY: the caller owns no other descriptor.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, keep - 1, 0);
        libc::syscall(libc::SYS_close_range, keep + 1, u32::MAX, 0);
    }
}

/// Leaves the session keyring of whoever started us, with the credentials in it, for an empty one. Kernels without keyrings
/// refuse, and have nothing to leave.
pub fn own_keyring() {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: a null name asks for a new anonymous keyring; no memory is passed.
    unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
}

/// Moves descriptors to the numbers `first`, `first + 1` … where they survive exec.
pub fn place_descriptors(fds: Vec<OwnedFd>, first: RawFd) -> io::Result<()> {
    let free = first + fds.len() as RawFd + 1;
    let lifted: Vec<OwnedFd> =
        fds.iter().map(|fd| rustix::io::fcntl_dupfd_cloexec(fd, free)).collect::<Result<_, _>>()?;
    for (number, fd) in (first..).zip(&lifted) {
        // SAFETY: whatever had this number is void from now on; callers exec right after, and `fds` and `lifted` are given up
        // below without closing numbers that were replaced.
        checked(unsafe { libc::c_long::from(libc::dup2(fd.as_raw_fd(), number)) })?;
    }
    for fd in fds {
        let _given_up = fd.into_raw_fd();
    }
    Ok(())
}

/// Replaces the program. Comes back only with the reason why not.
pub fn exec(program: &CString, argv: &[CString], env: &[CString]) -> io::Error {
    let pointers = |list: &[CString]| -> Vec<*const libc::c_char> {
        list.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (argv, env) = (pointers(argv), pointers(env));
    // SAFETY: both arrays end with null and point to strings that outlive the call.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    io::Error::last_os_error()
}

/// Blanks the command line that others see of this process. Nobody may read the arguments afterwards.
pub fn hide_arguments() {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return };
    // Fields 48 and 49, counted from 1; the name in field 2 may hold anything, so counting starts behind it.
    let mut fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().skip(45);
    let mut field = || fields.next().and_then(|text| text.parse::<usize>().ok());
    if let (Some(start), Some(end)) = (field(), field())
        && 0 < start
        && start < end
    {
        // SAFETY: the kernel says that this range holds the process's own argument strings, on its writable initial stack.
        // They are read through std::env::args only, which no role does after dispatch.
        unsafe { std::ptr::write_bytes(start as *mut u8, 0, end - start) };
    }
}

/// Brings up `lo` in the current network namespace.
pub fn loopback_up() -> io::Result<()> {
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::DGRAM, None)?;
    // SAFETY: `ifreq` is plain data for which all-zero is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // C libraries differ in the type of a request's number.
    let set_flags = libc::SIOCSIFFLAGS as libc::Ioctl;
    // SAFETY: SIOCSIFFLAGS reads an ifreq, which is what is given.
    checked(unsafe { libc::c_long::from(libc::ioctl(socket.as_fd().as_raw_fd(), set_flags, &raw const request)) })?;
    Ok(())
}

/// Size of a page of memory, bytes.
pub fn page_size() -> u64 {
    // SAFETY: reads a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::{FdFlags, dup, fcntl_getfd};

    #[test]
    fn what_is_open_does_not_outlive_an_exec() {
        let inherited = dup(std::io::stdin()).unwrap();
        assert_eq!(fcntl_getfd(&inherited).unwrap(), FdFlags::empty());
        close_others_on_exec().unwrap();
        assert_eq!(fcntl_getfd(&inherited).unwrap(), FdFlags::CLOEXEC);
    }
}
