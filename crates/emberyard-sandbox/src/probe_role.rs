//! The trials of [`crate::probe()`], each in a process of its own.

use crate::failure::{Failure, Step, Steps};
use crate::probe::{Offer, Probe};
use crate::rootfs::{self, Trial};
use crate::sys::{self, Forked};
use crate::wire::Channel;
use crate::{cgroup, namespace, process, role};
use rustix::fd::AsFd;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};
use rustix::thread::{ThreadNameSpaceType as Kinds, UnshareFlags};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Role of the trials.
pub const PROBE: &str = "sandbox-probe";

/// What the trials are told.
#[derive(Serialize, Deserialize)]
pub struct ProbeOrders {
    /// A folder with a folder `lower` in it.
    pub scratch: PathBuf,
}

/// Tries everything.
pub fn probe() -> Step<()> {
    let (ProbeOrders { scratch }, channel) = role::take_orders()?;
    role::answer(&channel, Ok(try_all(&scratch)), &[])
}

fn try_all(scratch: &Path) -> Probe {
    let root = offer(|| {
        sys::unshare(UnshareFlags::NEWNS | UnshareFlags::NEWNET | UnshareFlags::NEWPID)
            .step("namespaces without a user namespace")
    });
    let is_root = root.works();
    // Everything else is tried with the rights that a yard will have.
    let rights = move || if is_root { Ok(()) } else { namespace::become_root_of_new_user_namespace() };
    Probe {
        uid: rustix::process::geteuid().as_raw(),
        user_namespace: offer(namespace::become_root_of_new_user_namespace),
        network_namespace: offer(|| {
            rights()?;
            namespace::new_network()?;
            namespace::sysctl("net.ipv4.ip_forward", "1")
        }),
        pid_namespace: offer(|| {
            rights()?;
            in_child(libc::CLONE_NEWPID, || {
                rootfs::own_mounts()?;
                rootfs::attempt(&Trial::Proc)
            })
        }),
        overlay: offer(|| {
            rights()?;
            rootfs::own_mounts()?;
            rootfs::attempt(&Trial::Overlay { lower: &scratch.join("lower"), scratch })
        }),
        idmapped_mounts: offer(|| rootfs::attempt(&Trial::IdMapped(scratch))),
        joining: offer(|| try_joining(is_root)),
        nftables: offer(|| {
            rights()?;
            namespace::new_network()?;
            ask_nftables()
        }),
        cgroups: cgroup::offers(),
        root,
    }
}

/// Tries something in a process of its own.
fn offer(trial: impl FnOnce() -> Step<()>) -> Offer {
    match in_child(0, trial) {
        Ok(()) => Offer::Yes,
        Err(Failure { step, message, .. }) => Offer::No(format!("{step}: {message}")),
    }
}

fn in_child(namespaces: i32, trial: impl FnOnce() -> Step<()>) -> Step<()> {
    let (ours, theirs) = Channel::pair().step("socket pair")?;
    match sys::fork(namespaces).step("fork")? {
        Forked::Child => {
            drop(ours);
            let told = role::answer(&Channel::new(theirs), trial(), &[]);
            sys::exit(i32::from(told.is_err()))
        }
        Forked::Parent { pidfd, .. } => {
            drop(theirs);
            let heard = Channel::new(ours).receive().step("answer of a trial");
            process::reap(pidfd.as_fd());
            match heard? {
                Some(role::Answer::Done(())) => Ok(()),
                Some(role::Answer::Failed(failure)) => Err(failure),
                None => Err(Failure::new("trial", "it was killed")),
            }
        }
    }
}

/// Joins the namespaces of a child that has made some.
fn try_joining(is_root: bool) -> Step<()> {
    let (ours, theirs) = Channel::pair().step("socket pair")?;
    let kinds = if is_root { libc::CLONE_NEWNET } else { libc::CLONE_NEWUSER | libc::CLONE_NEWNET };
    match sys::fork(kinds).step("new namespaces")? {
        Forked::Child => {
            drop(ours);
            let _until_the_end = Channel::new(theirs).receive::<()>();
            sys::exit(0)
        }
        Forked::Parent { pidfd, .. } => {
            let child = process::ProcessId::of_pidfd(pidfd.as_fd())?;
            let joined = namespace::join(&child, Kinds::NETWORK);
            drop((ours, theirs));
            process::reap(pidfd.as_fd());
            joined
        }
    }
}

/// Asks nftables for its generation, which changes nothing.
fn ask_nftables() -> Step<()> {
    /// `NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN` (linux/netfilter/nf_tables.h).
    const ASK: u16 = (10 << 8) | 16;
    /// Its answer, `NFT_MSG_NEWGEN`.
    const ANSWER: u16 = (10 << 8) | 15;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(netlink::NETFILTER))
        .step("netfilter socket")?;
    // Header: length, type, flags (request), sequence, port; then family, version, resource.
    let mut message = [0_u8; 20];
    message[..4].copy_from_slice(&20_u32.to_ne_bytes());
    message[4..6].copy_from_slice(&ASK.to_ne_bytes());
    message[6..8].copy_from_slice(&1_u16.to_ne_bytes());
    send(&socket, &message, SendFlags::empty()).step("nftables")?;
    if !process::readable_within(socket.as_fd(), Some(Duration::from_secs(2))).step("nftables")? {
        return Err(Failure::new("nftables", "no answer"));
    }
    let mut reply = [0_u8; 512];
    let (got, _) = recv(&socket, &mut reply[..], RecvFlags::empty()).step("nftables")?;
    let said = [reply[4], reply[5]];
    if got >= 20 && u16::from_ne_bytes(said) == ANSWER {
        Ok(())
    } else {
        let errno = i32::from_ne_bytes([reply[16], reply[17], reply[18], reply[19]]);
        Err(std::io::Error::from_raw_os_error(-errno)).step("nftables")
    }
}
