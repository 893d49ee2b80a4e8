//! Starting a pod: from the node's namespaces to a supervisor that serves, with the pod's own namespaces held by its init.

use super::protocol::{RECORD, Record, SOCKET, VERSION};
use super::spec::{IdMap, PodSandboxSpec};
use super::supervisor::Supervisor;
use crate::failure::{Failure, Step, Steps};
use crate::namespace::{self, Extent};
use crate::process::ProcessId;
use crate::sys::{self, Forked};
use crate::wire::Channel;
use crate::{cgroup, record, role, rootfs};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::thread::{ThreadNameSpaceType as Kinds, move_into_thread_name_spaces};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Role of a pod's supervisor.
pub const POD: &str = "sandbox-pod";

/// What a supervisor is told.
#[derive(Serialize, Deserialize)]
pub struct PodOrders {
    /// The node's holder.
    pub node: ProcessId,
    /// Its control groups.
    pub cgroups: Vec<PathBuf>,
    /// The pod.
    pub spec: PodSandboxSpec,
}

/// The pod's namespaces that its containers join. Its network is the supervisor's own.
#[derive(Debug)]
pub struct Spaces {
    /// User namespace.
    pub user: OwnedFd,
    /// IPC namespace.
    pub ipc: OwnedFd,
    /// Host name.
    pub uts: OwnedFd,
    /// The init process; with it everything in the pod dies.
    pub init: OwnedFd,
}

/// Becomes a pod's supervisor. Two forks: the first enters the node's pid namespace, the second is left to the node's holder.
pub fn supervise() -> Step<()> {
    let (orders, channel) = role::take_orders::<PodOrders>()?;
    let kinds = Kinds::NETWORK | Kinds::PROCESS_ID;
    if let Err(failure) = namespace::join(&orders.node, kinds) {
        return role::answer::<Record>(&channel, Err(failure), &[]);
    }
    if let Forked::Parent { pidfd, .. } = sys::fork(0).step("fork")? {
        crate::process::reap(pidfd.as_fd());
        return Ok(());
    }
    match sys::fork(0) {
        Ok(Forked::Child) => {}
        Ok(Forked::Parent { .. }) => sys::exit(0),
        Err(_) => sys::exit(1),
    }
    match start(orders) {
        Ok((mut supervisor, record)) => {
            let answered = role::answer(&channel, Ok(record), &[]);
            drop(channel);
            // Nobody who asked: nobody who would ever stop it.
            sys::exit(i32::from(answered.is_err() || supervisor.serve().is_err()))
        }
        Err(failure) => {
            let _nobody_listens = role::answer::<Record>(&channel, Err(failure), &[]);
            sys::exit(1)
        }
    }
}

fn start(PodOrders { cgroups, spec, .. }: PodOrders) -> Step<(Supervisor, Record)> {
    role::detach()?;
    let _cosmetic = rustix::thread::set_name(c"emberyard-pod");
    crate::pod::inside::raise_open_files().step("limit of open files")?;
    let (own, shared): (Vec<_>, Vec<_>) = spec.sysctls.iter().partition(|(name, _)| name.starts_with("net."));
    if !spec.host_network {
        namespace::new_network()?;
        namespace::sysctl("net.ipv4.ip_unprivileged_port_start", "0")?;
        own.iter().try_for_each(|(name, value)| namespace::sysctl(name, value))?;
    } else if let Some((name, _)) = own.first() {
        return Err(Failure::new("sysctl", format!("{name} cannot be set in a pod on the host network")));
    }
    sys::own_keyring();
    rootfs::own_mounts()?;
    let groups = cgroup::create_below(&cgroups, &spec.name);
    let notes = cgroup::limit(&groups, &spec.limits);
    let (init, spaces) = match start_init(&spec, &shared) {
        Ok(started) => started,
        Err(failure) => {
            cgroup::remove(&groups);
            return Err(failure);
        }
    };
    let listener = listen_in(&spec.dir)?;
    let own_pid = std::fs::read_link("/proc/self").ok().and_then(|link| link.to_str()?.parse().ok());
    let supervisor = ProcessId::of(own_pid.ok_or_else(|| Failure::new("own pid", "/proc/self is not readable"))?)?;
    let record = Record { version: VERSION, supervisor, init };
    record::write(&spec.dir.join(RECORD), &record)?;
    Ok((Supervisor::new(spec, spaces, groups, notes, listener), record))
}

/// Starts the pod's init in new user, pid, IPC and UTS namespaces. From here on our children are born in its pid namespace.
fn start_init(spec: &PodSandboxSpec, sysctls: &[&(String, String)]) -> Step<(ProcessId, Spaces)> {
    let (ours, theirs) = Channel::pair().step("socket pair")?;
    let kinds = libc::CLONE_NEWUSER | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    match sys::fork(kinds).step("new user, pid, IPC and UTS namespaces")? {
        Forked::Child => {
            drop(ours);
            let mut channel = Channel::new(theirs);
            // No word means that the supervisor failed or died.
            if !matches!(channel.receive::<()>(), Ok(Some(()))) {
                sys::exit(1);
            }
            let prepared = prepare_init(spec, sysctls);
            let failed = prepared.is_err();
            if role::answer(&channel, prepared, &[]).is_err() || failed {
                sys::exit(1);
            }
            role::hold()
        }
        Forked::Parent { pidfd, .. } => {
            drop(theirs);
            let mut channel = Channel::new(ours);
            let process = ProcessId::of_pidfd(pidfd.as_fd())?;
            let (uids, gids) = extents(spec.ids);
            namespace::map_ids(&process, &uids, &gids)?;
            let open = |kind: &str| -> Step<OwnedFd> {
                let path = format!("/proc/{}/ns/{kind}", process.pid);
                rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).step_on("open", path)
            };
            let (user, ipc, uts) = (open("user")?, open("ipc")?, open("uts")?);
            move_into_thread_name_spaces(pidfd.as_fd(), Kinds::PROCESS_ID).step("joining the pod's pid namespace")?;
            channel.send(&(), &[]).step("start of init")?;
            match channel.receive::<role::Answer<()>>().step("start of init")? {
                Some(role::Answer::Done(())) => Ok((process, Spaces { user, ipc, uts, init: pidfd })),
                Some(role::Answer::Failed(failure)) => Err(failure),
                None => Err(Failure::new("start of init", "it ended")),
            }
        }
    }
}

fn prepare_init(spec: &PodSandboxSpec, sysctls: &[&(String, String)]) -> Step<()> {
    use rustix::process::{Gid, Signal, Uid};
    sys::reap_automatically();
    if matches!(spec.ids, IdMap::Range { .. }) {
        rustix::thread::set_thread_groups(&[]).step("setgroups")?;
        rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT).step("setgid")?;
        rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).step("setuid")?;
    }
    // After the change of ids, which forgets it: without its supervisor a pod is not accounted for and must not live on.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).step("death signal")?;
    let _cosmetic = rustix::thread::set_name(c"emberyard-init");
    // The pod sees this process; where the yard is on the machine is none of its business.
    sys::hide_arguments();
    // No user namespaces in a pod: they would give its programs the kernel's administrative side to play with.
    namespace::sysctl("user.max_user_namespaces", "0")?;
    rustix::system::sethostname(spec.hostname.as_bytes()).step_on("host name", &spec.hostname)?;
    sysctls.iter().try_for_each(|(name, value)| namespace::sysctl(name, value))
}

fn extents(ids: IdMap) -> (Vec<Extent>, Vec<Extent>) {
    match ids {
        IdMap::Single { uid, gid } => (vec![(uid, 0, 1)], vec![(gid, 0, 1)]),
        IdMap::Range { base } => (vec![(0, base, IdMap::RANGE)], vec![(0, base, IdMap::RANGE)]),
    }
}

/// Listens in the pod's folder. By way of the folder's descriptor, as a socket's path may have only 107 bytes.
fn listen_in(dir: &Path) -> Step<OwnedFd> {
    let _old = std::fs::remove_file(dir.join(SOCKET));
    let folder =
        rustix::fs::openat(CWD, dir, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).step_on("open", dir.display())?;
    let listener = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).step("socket")?;
    let short = SocketAddrUnix::new(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd())).step("socket")?;
    bind(&listener, &short).step_on("bind", dir.join(SOCKET).display())?;
    rustix::fs::chmodat(&folder, SOCKET, Mode::RUSR | Mode::WUSR, rustix::fs::AtFlags::empty()).step("chmod")?;
    listen(&listener, 64).step("listen")?;
    Ok(listener)
}
