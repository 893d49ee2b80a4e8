//! Connecting to a port inside a pod: on the pod's own loopback, where a kubelet connects.

use emberyard_pod::port_forward::Port;
use emberyard_sandbox::PodSandbox;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

const PATIENCE: Duration = Duration::from_secs(10);
/// The thread only connects, and a client may want hundreds of connections at once.
const STACK: usize = 128 << 10;

/// Connects; an error is the text that kubelets have for it.
pub(super) async fn dial(sandbox: &PodSandbox, uid: &str, port: Port) -> Result<TcpStream, String> {
    let inside = |why: &str| format!("failed to execute portforward in network namespace \"{uid}\": {why}");
    let namespace = sandbox.netns_fd().map_err(|error| inside(&error.to_string()))?;
    let (tell, told) = oneshot::channel();
    // A thread of its own, so that no other work of this process ever runs in the wrong namespace. The socket stays in the
    // namespace in which it was made.
    let thread = std::thread::Builder::new().name("port-forward".into()).stack_size(STACK);
    let name = uid.to_owned();
    let begun = thread.spawn(move || drop(tell.send(connect(&namespace, &name, port))));
    begun.map_err(|error| inside(&error.to_string()))?;
    let stream = told.await.map_err(|_| inside("the thread ended"))?.map_err(|error| inside(&error))?;
    TcpStream::from_std(stream).map_err(|error| inside(&error.to_string()))
}

fn connect(namespace: &OwnedFd, name: &str, port: Port) -> Result<std::net::TcpStream, String> {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|error| error.to_string())?;
    let to = |address: IpAddr| {
        let stream = std::net::TcpStream::connect_timeout(&(address, port.get()).into(), PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    };
    to(Ipv4Addr::LOCALHOST.into()).or_else(|four: io::Error| {
        to(Ipv6Addr::LOCALHOST.into()).map_err(|six| {
            let (four, six) = (said(&four), said(&six));
            format!(
                "failed to connect to localhost:{port} inside namespace \"{name}\", IPv4: dial tcp4 127.0.0.1:{port}: {four} \
                 IPv6 dial tcp6 [::1]:{port}: {six}"
            )
        })
    })
}

/// As kubelets say it.
fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
        io::ErrorKind::TimedOut => "i/o timeout".to_owned(),
        _ => format!("connect: {error}"),
    }
}
