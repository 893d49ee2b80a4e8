//! The side of [`crate::spawn_in`] and [`crate::open_in`] that joins the place.

use crate::failure::{Failure, Step, Steps};
use crate::place::SocketSpec;
use crate::process::ProcessId;
use crate::{namespace, role, sys};
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, netlink, socket_with, sockopt};
use rustix::thread::ThreadNameSpaceType as Kinds;
use serde::{Deserialize, Serialize};
use std::ffi::{CString, OsString};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Role that becomes a program inside a place.
pub const SPAWN: &str = "sandbox-spawn";
/// Role that opens sockets inside a place.
pub const OPEN: &str = "sandbox-open";
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// What to become; the program's descriptors come beside it.
#[derive(Serialize, Deserialize)]
pub struct SpawnOrders {
    /// Whose namespaces to join.
    pub place: ProcessId,
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// File for its output.
    pub log: PathBuf,
    /// Working folder.
    pub cwd: PathBuf,
}

/// What to open.
#[derive(Serialize, Deserialize)]
pub struct OpenOrders {
    /// Whose namespaces to join.
    pub place: ProcessId,
    /// The sockets.
    pub sockets: Vec<SocketSpec>,
}

/// Becomes a program inside a place.
pub fn spawn() -> Step<()> {
    let (orders, mut channel) = role::take_orders::<SpawnOrders>()?;
    let fds = channel.take_fds();
    let Err(failure) = become_program(orders, fds);
    channel.send(&failure, &[]).step("answer")
}

fn become_program(orders: SpawnOrders, fds: Vec<OwnedFd>) -> Step<std::convert::Infallible> {
    let argv: Vec<CString> = orders.argv.into_iter().map(text).collect::<Step<_>>()?;
    let env: Vec<CString> = orders
        .env
        .into_iter()
        .map(|(name, value)| text(OsString::from_vec([name.as_bytes(), b"=", value.as_bytes()].concat())))
        .collect::<Step<_>>()?;
    let program = argv.first().ok_or_else(|| Failure::new("exec", "no program is named"))?.clone();
    // Before joining: as root of the yard one may no longer read what the owner may by a group.
    let flags = OFlags::CREATE | OFlags::APPEND | OFlags::WRONLY | OFlags::CLOEXEC;
    let log = rustix::fs::open(&orders.log, flags, Mode::RUSR | Mode::WUSR).step_on("open", orders.log.display())?;
    namespace::join(&orders.place, Kinds::NETWORK)?;
    rustix::process::setsid().step("setsid")?;
    rustix::process::chdir(&orders.cwd).step_on("chdir", orders.cwd.display())?;
    rustix::stdio::dup2_stdout(&log).step("standard output")?;
    rustix::stdio::dup2_stderr(&log).step("standard error")?;
    sys::close_others_on_exec().step("descriptors")?;
    sys::place_descriptors(fds, 3).step("descriptors")?;
    sys::default_signals();
    Err(sys::exec(&program, &argv, &env)).step_on("exec", program.to_string_lossy())
}

fn text(value: OsString) -> Step<CString> {
    CString::new(value.into_vec()).map_err(|_| Failure::new("exec", "an argument or variable has a zero byte"))
}

/// Opens sockets inside a place.
pub fn open() -> Step<()> {
    let (orders, channel) = role::take_orders::<OpenOrders>()?;
    match open_all(&orders) {
        Ok(sockets) => {
            let sockets: Vec<_> = sockets.iter().map(|socket| socket.as_fd()).collect();
            role::answer(&channel, Ok(()), &sockets)
        }
        Err(failure) => role::answer::<()>(&channel, Err(failure), &[]),
    }
}

fn open_all(orders: &OpenOrders) -> Step<Vec<OwnedFd>> {
    namespace::join(&orders.place, Kinds::NETWORK)?;
    orders.sockets.iter().map(open_one).collect()
}

fn open_one(spec: &SocketSpec) -> Step<OwnedFd> {
    let (family, kind, protocol) = match spec {
        SocketSpec::Tcp(address) => (family(address), SocketType::STREAM, None),
        SocketSpec::Udp(address) => (family(address), SocketType::DGRAM, None),
        SocketSpec::NetlinkRoute => (AddressFamily::NETLINK, SocketType::RAW, None),
        SocketSpec::NetlinkNetfilter => (AddressFamily::NETLINK, SocketType::RAW, Some(netlink::NETFILTER)),
    };
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, protocol).step_on("socket", format!("{spec:?}"))?;
    match spec {
        SocketSpec::Tcp(address) => {
            sockopt::set_socket_reuseaddr(&socket, true).step("SO_REUSEADDR")?;
            bind(&socket, address).step_on("bind", address)?;
            listen(&socket, BACKLOG).step_on("listen", address)?;
        }
        SocketSpec::Udp(address) => bind(&socket, address).step_on("bind", address)?,
        SocketSpec::NetlinkRoute | SocketSpec::NetlinkNetfilter => {}
    }
    Ok(socket)
}

fn family(address: &SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 }
}
