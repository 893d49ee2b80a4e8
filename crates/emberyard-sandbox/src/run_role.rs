//! The side of [`crate::run_in_root`] that builds the root and runs the command.

use crate::failure::{Failure, Step, Steps};
use crate::pod::{MountSource, MountSpec, Owner, Program, Streams, become_program, launch};
use crate::process::{readable_within, reap};
use crate::rootfs::{self, Base, Ids, MadePoints, Plan};
use crate::run::{Root, RunSpec};
use crate::sys::{self, Forked};
use crate::wire::Channel;
use crate::{namespace, role};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, Signal, WaitOptions, wait};
use rustix::thread::UnshareFlags;
use std::path::Path;
use std::time::Duration;

/// Role of a command in a root of its own.
pub const RUN: &str = "sandbox-run";
/// Where distributions keep the CA certificates in one file.
const CERTIFICATES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// The file with the certificates of the authorities that this machine trusts.
pub fn machine_certificates() -> Option<&'static str> {
    CERTIFICATES.into_iter().find(|file| Path::new(file).exists())
}

/// Where they are shown inside.
const CERTIFICATES_INSIDE: &str = "/run/emberyard-ca-certificates.crt";

/// Runs the command. This process only watches over the init of the command's pid namespace.
pub fn run() -> Step<()> {
    let (mut spec, mut channel) = role::take_orders::<RunSpec>()?;
    match begin(&mut spec, &mut channel) {
        Ok(()) => Ok(()),
        Err(failure) => role::answer::<i32>(&channel, Err(failure), &[]),
    }
}

fn begin(spec: &mut RunSpec, channel: &mut Channel) -> Step<()> {
    let output = channel.take_fd().ok_or_else(|| Failure::new("orders", "the output is missing"))?;
    if spec.host_network_files {
        add_network_files(spec);
    }
    // Root needs no user namespace; whoever is not root, or a root that may not, gets one.
    if sys::unshare(UnshareFlags::NEWNS).is_err() {
        namespace::become_root_of_new_user_namespace()?;
    }
    let base = base(&spec.root);
    if let Base::Layers(_, scratch) = base {
        std::fs::create_dir_all(scratch.join("upper")).step_on("mkdir", scratch.display())?;
    }
    let points = MadePoints::look(&base, spec.mounts.iter().map(|mount| mount.target.as_path()));
    match sys::fork(libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS).step("new pid namespace")? {
        Forked::Child => {
            let result = as_init(spec, output);
            sys::exit(i32::from(role::answer(channel, result, &[]).is_err()))
        }
        Forked::Parent { pidfd, .. } => {
            drop(output);
            watch_over(&pidfd, channel)?;
            let answered = reap(pidfd.as_fd()).is_some_and(|(code, _)| code == 0);
            points.remove();
            if answered { Ok(()) } else { Err(Failure::new("run", "it was killed")) }
        }
    }
}

/// Waits for init to end; kills it when whoever asked for it hangs up.
fn watch_over(init: &OwnedFd, channel: &Channel) -> Step<()> {
    loop {
        let fds = &mut [PollFd::new(init, PollFlags::IN), PollFd::new(channel, PollFlags::IN)];
        match poll(fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            polled => polled.step("poll")?,
        };
        if !fds[0].revents().is_empty() {
            return Ok(());
        }
        if !fds[1].revents().is_empty() {
            sys::pidfd_signal(init.as_fd(), libc::SIGKILL).step("kill")?;
            readable_within(init.as_fd(), Some(Duration::from_secs(10))).step("kill")?;
            return Ok(());
        }
    }
}

/// PID 1 of the command's pid namespace: everything ends with it.
fn as_init(spec: &RunSpec, output: OwnedFd) -> Step<i32> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).step("death signal")?;
    rustix::process::setsid().step("setsid")?;
    sys::own_keyring();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    rustix::system::sethostname(b"build").step("host name")?;
    rootfs::own_mounts()?;
    let ids = Ids { map: None, user_namespace: None, user: (0, 0) };
    rootfs::enter(&Plan {
        base: base(&spec.root),
        read_only: false,
        mounts: &spec.mounts,
        shm_size: rootfs::SHM_SIZE,
        ids,
        cwd: &spec.cwd,
        groups: &[],
    })?;
    let copy = output.try_clone().step("output")?;
    let launched = launch(|report| {
        let input = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty());
        let streams = Streams::Pipes([input.step_on("open", "/dev/null")?, output, copy]);
        let (argv, env, cwd) = (&spec.argv, &spec.env, spec.cwd.as_path());
        become_program(
            Program { argv, env, cwd, user: (0, 0), groups: &[], processes: None, confined: false, streams },
            None,
            None,
            report,
        )
    })?;
    reap_until(launched.pid)
}

/// Reaps everything that falls to init until the command itself has ended.
fn reap_until(command: Pid) -> Step<i32> {
    loop {
        match wait(WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) | Ok(None) => {}
            Err(error) => return Err(error).step("wait"),
            Ok(Some((pid, status))) if pid == command => {
                let signal = status.terminating_signal().map(|signal| 128 + signal);
                return Ok(status.exit_status().or(signal).unwrap_or(1));
            }
            Ok(Some(_)) => {}
        }
    }
}

fn base(root: &Root) -> Base<'_> {
    match root {
        Root::Folder(folder) => Base::Folder(folder),
        Root::Layers { lowers, scratch } => Base::Layers(lowers, scratch),
    }
}

fn add_network_files(spec: &mut RunSpec) {
    let mut bind = |path: &str, target: &str| {
        let source = MountSource::Bind { path: path.into(), sub_path: None, owner: Owner::Machine };
        spec.mounts.push(MountSpec { target: target.into(), source, read_only: true });
    };
    if Path::new("/etc/resolv.conf").exists() {
        bind("/etc/resolv.conf", "/etc/resolv.conf");
    }
    if let Some(file) = machine_certificates() {
        bind(file, CERTIFICATES_INSIDE);
        if !spec.env.iter().any(|(name, _)| name == "SSL_CERT_FILE") {
            spec.env.push(("SSL_CERT_FILE".to_owned(), CERTIFICATES_INSIDE.to_owned()));
        }
    }
}
