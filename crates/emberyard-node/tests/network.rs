//! The network for real: a yard with two nodes, two pods and the machine's side, each a network namespace, inside one
//! user namespace. Runs as root and as an unprivileged user alike.

// A test ends at its first failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emberyard_node::net::address::{DNS_PORT, NodeNumber, PROXY_PORT, RELAY_PORT, YARD};
use emberyard_node::net::yard::Redirect;
use emberyard_node::net::{fault, node, pod, yard};
use emberyard_node::relay::{self, RelaySockets};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const INSIDE: &str = "EMBERYARD_TEST_INSIDE";

/// A process that holds a network namespace until it is dropped.
struct Space(Child);

impl Space {
    fn new() -> Self {
        let mut child = Command::new("unshare")
            .args(["--net", "sh", "-c", "ip link set lo up; echo ready; exec sleep 60"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self(child)
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn fd(&self) -> OwnedFd {
        File::open(format!("/proc/{}/ns/net", self.pid())).unwrap().into()
    }

    /// Does something on a thread inside.
    fn enter<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> std::thread::JoinHandle<T> {
        let fd = self.fd();
        std::thread::spawn(move || {
            move_into_link_name_space(fd.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            work()
        })
    }

    fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        self.enter(work).join().unwrap()
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that answers each connection with the peer's address.
fn serve(listener: TcpListener) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let peer = stream.peer_addr().unwrap();
            let _ = write!(stream, "{}", peer.ip());
        }
    });
}

/// What a server says, or the kind of the error.
fn ask(address: &str) -> String {
    let address: SocketAddrV4 = address.parse().unwrap();
    let mut text = String::new();
    let result = TcpStream::connect_timeout(&address.into(), Duration::from_secs(5)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.read_to_string(&mut text)
    });
    match result {
        Ok(_) => text,
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// A yard with two nodes and a pod on each, and the machine's side.
struct World {
    machine: Space,
    numbers: [NodeNumber; 2],
    nodes: [Space; 2],
    pods: [Space; 2],
}

impl World {
    fn new() -> Self {
        let world = Self {
            machine: Space::new(),
            numbers: [NodeNumber::new(1).unwrap(), NodeNumber::new(2).unwrap()],
            nodes: [Space::new(), Space::new()],
            pods: [Space::new(), Space::new()],
        };
        for ((number, space), pod_space) in world.numbers.into_iter().zip(&world.nodes).zip(&world.pods) {
            yard::attach_node(number, space.pid()).unwrap();
            yard::attach_node(number, space.pid()).expect("attach may be repeated");
            let fd = pod_space.fd();
            space.run(move || {
                node::setup(number).unwrap();
                let [a, b, c, _] = number.pod_gateway().octets();
                pod::attach(number, fd, Ipv4Addr::new(a, b, c, 2)).unwrap();
                node::add_service_address(Ipv4Addr::new(10, 96, 0, 77)).unwrap();
            });
        }
        let target = format!("--net=/proc/{}/ns/net", world.machine.pid());
        let added = Command::new("nsenter")
            .args([target.as_str(), "ip", "addr", "add", "198.51.100.7/32", "dev", "lo"])
            .status()
            .unwrap();
        assert!(added.success());
        world
    }

    /// The relay on the machine's side, with port 5000 of its loopback allowed.
    fn relay(&self, door: Option<TcpListener>, shutdown: &CancellationToken) -> std::thread::JoinHandle<()> {
        let sockets = RelaySockets {
            tcp: TcpListener::bind((Ipv4Addr::UNSPECIFIED, RELAY_PORT)).unwrap(),
            dns_udp: UdpSocket::bind((YARD, DNS_PORT)).unwrap(),
            dns_tcp: TcpListener::bind((YARD, DNS_PORT)).unwrap(),
            door,
        };
        let stop = shutdown.clone();
        self.machine.enter(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(relay::run(sockets, BTreeSet::from([5000]), stop)).unwrap();
        })
    }
}

fn bind(space: &Space, address: &'static str) -> TcpListener {
    space.run(move || TcpListener::bind(address).unwrap())
}

fn redirected() {
    assert_eq!(yard::setup(RELAY_PORT, Redirect::WherePossible).unwrap(), yard::Outbound::Redirected);
    yard::setup(RELAY_PORT, Redirect::WherePossible).expect("setup may be repeated");
    let world = World::new();
    let World { machine, numbers, nodes, pods } = &world;
    serve(bind(&pods[0], "0.0.0.0:80"));
    serve(bind(&nodes[1], "10.96.0.77:80"));
    serve(bind(machine, "127.0.0.1:5000"));
    serve(bind(machine, "127.0.0.1:5001"));
    serve(bind(machine, "198.51.100.7:443"));
    let shutdown = CancellationToken::new();
    let relay = world.relay(None, &shutdown);
    let from = |space: &Space, address: &'static str| space.run(move || ask(address));
    // Pod to pod over two nodes: the true address is seen.
    assert_eq!(from(&pods[1], "10.42.1.2:80"), "10.42.2.2");
    // A cut between the nodes, and an unplugged cable, with all that still goes; and both mended.
    fault::cut(numbers[0], numbers[1]).unwrap();
    fault::cut(numbers[0], numbers[1]).expect("cut may be repeated");
    assert_eq!(from(&pods[1], "10.42.1.2:80"), "TimedOut");
    assert_eq!(from(&pods[0], "198.51.100.7:443"), "198.51.100.7");
    fault::heal(numbers[0], numbers[1]).unwrap();
    fault::heal(numbers[0], numbers[1]).expect("heal may be repeated");
    assert_eq!(from(&pods[1], "10.42.1.2:80"), "10.42.2.2");
    fault::unplug(numbers[0]).unwrap();
    assert_ne!(from(&pods[0], "198.51.100.7:443"), "198.51.100.7");
    assert_eq!(from(&pods[1], "198.51.100.7:443"), "198.51.100.7");
    fault::plug(numbers[0]).unwrap();
    assert_eq!(from(&pods[0], "198.51.100.7:443"), "198.51.100.7");
    assert_eq!(from(&pods[1], "10.42.1.2:80"), "10.42.2.2");
    // Pod to a service address of its node: the true address is seen.
    assert_eq!(from(&pods[1], "10.96.0.77:80"), "10.42.2.2");
    // Out through the relay, from a pod, a node and the yard itself.
    assert_eq!(from(&pods[0], "198.51.100.7:443"), "198.51.100.7");
    assert_eq!(from(&nodes[0], "198.51.100.7:443"), "198.51.100.7");
    assert_eq!(ask("198.51.100.7:443"), "198.51.100.7");
    // The machine's loopback: only what is allowed.
    assert_eq!(from(&pods[0], "10.41.0.2:5000"), "127.0.0.1");
    assert_eq!(from(&pods[0], "10.41.0.2:5001"), "ConnectionReset");
    // The pod's own loopback stays its own.
    assert_eq!(from(&pods[0], "127.0.0.1:80"), "127.0.0.1");
    assert_eq!(from(&pods[1], "127.0.0.1:5000"), "ConnectionRefused");
    // A pod that gets the address of one that ended is reached at once: nobody's memory of the old one is in the way.
    let heir = Space::new();
    let (fd, first) = (heir.fd(), numbers[0]);
    nodes[0].run(move || pod::attach(first, fd, Ipv4Addr::new(10, 42, 1, 2)).unwrap());
    serve(bind(&heir, "0.0.0.0:80"));
    assert_eq!(from(&pods[1], "10.42.1.2:80"), "10.42.2.2");
    // What a node's end of the link leaves behind can be taken down.
    nodes[0].run(|| pod::detach(Ipv4Addr::new(10, 42, 1, 2)).unwrap());
    nodes[0].run(|| node::remove_service_address(Ipv4Addr::new(10, 96, 0, 77)).unwrap());
    nodes[0].run(|| node::remove_service_address(Ipv4Addr::new(10, 96, 0, 77)).unwrap());
    yard::detach_node(numbers[0]).unwrap();
    yard::detach_node(numbers[0]).expect("detach may be repeated");
    assert_ne!(from(&pods[1], "10.42.1.2:80"), "10.42.2.2");
    shutdown.cancel();
    relay.join().unwrap();
}

/// What the HTTP door answers to a request and, after a CONNECT, what lies behind it.
fn through_door(request: &str) -> String {
    let mut text = String::new();
    let mut stream = TcpStream::connect((YARD, PROXY_PORT)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let read = stream.read_to_string(&mut text);
    assert!(read.is_ok(), "{read:?} after {text}");
    text
}

fn by_the_door() {
    let outbound = yard::setup(RELAY_PORT, Redirect::Never).unwrap();
    assert!(matches!(outbound, yard::Outbound::Door { .. }), "{outbound:?}");
    let world = World::new();
    let World { machine, pods, .. } = &world;
    serve(bind(&pods[0], "0.0.0.0:80"));
    serve(bind(machine, "127.0.0.1:5000"));
    serve(bind(machine, "127.0.0.1:5001"));
    serve(bind(machine, "198.51.100.7:443"));
    serve_http(bind(machine, "198.51.100.7:80"));
    let shutdown = CancellationToken::new();
    let relay = world.relay(Some(TcpListener::bind((YARD, PROXY_PORT)).unwrap()), &shutdown);
    // Pods reach each other, and nothing outside by themselves.
    assert_eq!(pods[1].run(|| ask("10.42.1.2:80")), "10.42.2.2");
    let alone = pods[0].run(|| ask("198.51.100.7:443"));
    assert!(!alone.starts_with("198"), "{alone}");
    let ask = |request: &str| {
        let request = request.to_owned();
        pods[0].run(move || through_door(&request))
    };
    let connect = |to: &str| ask(&format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n"));
    let body = |text: String| text.split_once("\r\n\r\n").map(|(head, body)| (head[..12].to_owned(), body.to_owned()));
    let good = |body: &str| Some(("HTTP/1.1 200".to_owned(), body.to_owned()));
    assert_eq!(body(connect("198.51.100.7:443")), good("198.51.100.7"));
    // The machine's own loopback: by its name, only what is allowed, never by address or another name.
    assert_eq!(body(connect("machine.emberyard.internal:5000")), good("127.0.0.1"));
    for forbidden in ["machine.emberyard.internal:5001", "127.0.0.1:5000", "localhost:5000", "10.42.1.2:80"] {
        let text = connect(forbidden);
        assert!(text.starts_with("HTTP/1.1 403"), "{forbidden}: {text}");
    }
    let text = connect("198.51.100.7:444");
    assert!(text.starts_with("HTTP/1.1 502"), "{text}");
    // Plain http in absolute form: the server sees its own path and host.
    let text =
        ask("GET http://198.51.100.7/a?b HTTP/1.1\r\nHost: x\r\nProxy-Connection: close\r\nConnection: close\r\n\r\n");
    assert_eq!(body(text), good("GET /a?b HTTP/1.1|host: 198.51.100.7"));
    shutdown.cancel();
    relay.join().unwrap();
}

/// A web server that answers each request with what it was asked.
fn serve_http(listener: TcpListener) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let asked: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let said = asked.join("|");
            let _ =
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}", said.len());
        }
    });
}

fn outside(which: &str, launcher: &[&str]) {
    let program = std::env::current_exe().unwrap();
    let mut words: Vec<&str> = launcher.to_vec();
    words.extend(["unshare", "--user", "--map-root-user", "--net"]);
    let output = Command::new(words[0])
        .args(&words[1..])
        .arg(program)
        .args(["--exact", "works_inside", "--nocapture"])
        .env(INSIDE, which)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("network works"), "{text}");
}

#[test]
fn works_inside() {
    match std::env::var(INSIDE).as_deref() {
        Ok("redirected") => redirected(),
        Ok("by the door") => by_the_door(),
        _ => return,
    }
    println!("network works");
}

/// In a user namespace of whoever runs the tests and, where that is root, also as somebody without rights.
fn both(which: &str) {
    if std::env::var_os(INSIDE).is_some() {
        return;
    }
    outside(which, &[]);
    if rustix::process::getuid().is_root() {
        outside(which, &["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]);
    }
}

#[test]
fn a_yard_with_redirected_connections() {
    both("redirected");
}

#[test]
fn a_yard_where_nothing_is_redirected() {
    both("by the door");
}
