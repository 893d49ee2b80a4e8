//! What programs of pods may not ask of the kernel, whatever their rights: what only a machine's administrator needs, new namespaces, and
//! corners of the kernel that programs rarely use and that have let them out before. Container engines' default profile
//! (`RuntimeDefault`) refuses these, too; theirs is a list of what is allowed.

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};
use std::collections::BTreeMap;

/// Refused with whatever arguments.
const REFUSED: &[i64] = &[
    // The machine: modules, other kernels, restarts, swap, time, accounting, quotas, log.
    libc::SYS_acct,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    // File systems.
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_pivot_root,
    libc::SYS_umount2,
    // Namespaces of others.
    libc::SYS_setns,
    // Keys are of the user, not of the pod.
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_request_key,
    // Ways into the kernel.
    libc::SYS_bpf,
    libc::SYS_fanotify_init,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_lookup_dcookie,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
];

/// With one of these, `clone` and `unshare` make a namespace.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Binds the calling thread and all that comes of it. Nothing undoes it.
///
/// # Errors
/// [`Error`] when the kernel has no such filters, or the thread could still gain rights (`no_new_privs` is not set).
pub fn confine() -> Result<(), Error> {
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    for call in [libc::SYS_clone, libc::SYS_unshare] {
        refused.insert(call, NAMESPACES.into_iter().map(makes).collect::<Result<_, _>>()?);
    }
    apply(refused, libc::EPERM)?;
    // Its flags lie in memory, where no filter looks. C libraries take `clone` where it is not there.
    apply(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

/// The first argument has this flag.
fn makes(namespace: i32) -> Result<SeccompRule, Error> {
    let flag = u64::from(namespace.unsigned_abs());
    let has = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag)?;
    Ok(SeccompRule::new(vec![has])?)
}

fn apply(refused: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> Result<(), Error> {
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    let program: BpfProgram = SeccompFilter::new(refused, SeccompAction::Allow, answer, machine)?.try_into()?;
    apply_filter(&program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;
    use rustix::thread::UnshareFlags;

    #[test]
    fn what_is_refused_is_refused_and_all_else_goes_on() {
        // A filter binds its thread only.
        let thread = std::thread::spawn(|| {
            rustix::thread::set_no_new_privs(true).unwrap();
            confine().unwrap();
            let mount = rustix::mount::mount("none", "/nowhere", "tmpfs", rustix::mount::MountFlags::empty(), None);
            let user = crate::sys::unshare(UnshareFlags::NEWUSER).map_err(|error| error.raw_os_error());
            let child = std::process::Command::new("true").status().unwrap();
            let another = std::thread::spawn(|| std::fs::read("/proc/self/status").unwrap().len()).join().unwrap();
            (mount, user, child.success(), another)
        });
        let (mount, user, child, another) = thread.join().unwrap();
        assert_eq!((mount, user), (Err(Errno::PERM), Err(Some(libc::EPERM))));
        assert!(child && another > 0);
    }
}
