//! The holders' own side.

use crate::failure::{Failure, Step, Steps};
use crate::holder::{Mode, NodeHolder, YardHolder};
use crate::namespace;
use crate::process::ProcessId;
use crate::sys::{self, Forked};
use crate::{record, role};
use rustix::thread::ThreadNameSpaceType as Kinds;
use serde::{Deserialize, Serialize};
use std::os::fd::AsFd;
use std::path::PathBuf;

/// Role of a yard's holder.
pub const YARD: &str = "sandbox-yard";
/// Role of a node's holder.
pub const NODE: &str = "sandbox-node";

/// What a yard's holder is told.
#[derive(Serialize, Deserialize)]
pub struct YardOrders {
    /// The yard's folder.
    pub dir: PathBuf,
    /// Which namespaces to make.
    pub mode: Mode,
    /// Control groups that were made for it.
    pub cgroups: Vec<PathBuf>,
}

/// What a node's holder is told.
#[derive(Serialize, Deserialize)]
pub struct NodeOrders {
    /// The yard's holder.
    pub holder: ProcessId,
    /// The record to be; its process is not known yet.
    pub node: NodeHolder,
}

/// The yard's holder. The process that was started ends at once and leaves the holder to the system's init, so that nobody
/// needs to reap it.
pub fn yard() -> Step<()> {
    let (orders, channel) = role::take_orders::<YardOrders>()?;
    if let Forked::Parent { .. } = sys::fork(0).step("fork")? {
        return Ok(());
    }
    let made = make_yard(orders);
    let failed = made.is_err();
    role::answer(&channel, made, &[])?;
    if failed { sys::exit(1) } else { role::hold() }
}

fn make_yard(YardOrders { dir, mode, cgroups }: YardOrders) -> Step<YardHolder> {
    role::detach()?;
    let _cosmetic = rustix::thread::set_name(c"emberyard-yard");
    if mode == Mode::Rootless {
        namespace::become_root_of_new_user_namespace()?;
    }
    namespace::new_network()?;
    namespace::sysctl("net.ipv4.ip_forward", "1")?;
    let process = ProcessId::of(rustix::process::getpid().as_raw_nonzero().get())?;
    let yard = YardHolder { process, dir, mode, cgroups };
    record::write(&YardHolder::record_in(&yard.dir), &yard)?;
    Ok(yard)
}

/// Makes a node's holder and ends.
pub fn node() -> Step<()> {
    let (orders, channel) = role::take_orders::<NodeOrders>()?;
    role::answer(&channel, make_node(orders), &[])
}

fn make_node(NodeOrders { holder, mut node }: NodeOrders) -> Step<NodeHolder> {
    namespace::join(&holder, Kinds::empty())?;
    namespace::new_network()?;
    namespace::sysctl("net.ipv4.ip_forward", "1")?;
    // Pods on the node's network may use low ports, as in networks of their own.
    namespace::sysctl("net.ipv4.ip_unprivileged_port_start", "0")?;
    match sys::fork(libc::CLONE_NEWPID).step("new pid namespace")? {
        Forked::Child => {
            sys::reap_automatically();
            let _cosmetic = rustix::thread::set_name(c"emberyard-node");
            match role::detach() {
                Ok(()) => role::hold(),
                Err(_) => sys::exit(1),
            }
        }
        Forked::Parent { pidfd, .. } => {
            let recorded = ProcessId::of_pidfd(pidfd.as_fd()).and_then(|process| {
                node.process = process;
                record::write(&NodeHolder::record_in(&node.dir), &node)
            });
            if recorded.is_err() {
                sys::pidfd_signal(pidfd.as_fd(), libc::SIGKILL).step("kill")?;
            }
            recorded.map(|()| node).map_err(Failure::from)
        }
    }
}
