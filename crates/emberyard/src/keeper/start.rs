//! Starting the yard, step by step: lock, certificates, holder, network, sockets, processes, nodes.

use super::children::{Records, Role};
use super::nodes::NodeFile;
use super::protocol::Stage;
use super::server::Progress;
use super::{Event, Keeper, KeeperError};
use crate::yard::{Settings, YardDir, folder::write_private, ports};
use emberyard_node::net::address::{PROXY_PORT, RELAY_PORT};
use emberyard_node::net::yard::Outbound;
use emberyard_node::relay::RelaySockets;
use emberyard_sandbox::{Child, Command, Mode, NodeHolder, Place, SocketSpec, YARD_MARK, YardHolder};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The yard's own address: API server, relay, forwarder of outside names.
pub const YARD_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 41, 0, 1);
/// Where nodes and pods reach the API.
pub const API_PORT: u16 = 6443;
const API_TRY: Duration = Duration::from_millis(500);
/// A start of the API server takes well under a second; this is for a machine that swaps.
const API_PATIENCE: Duration = Duration::from_secs(30);

/// Listening sockets that children inherit, so that a restart is a pause and no refusal.
pub(crate) struct Sockets {
    api: [OwnedFd; 2],
    gateway: OwnedFd,
}

/// The keeper's lock on the yard, held as long as the value lives.
pub fn lock(dir: &YardDir) -> Result<std::fs::File, KeeperError> {
    let path = dir.lock();
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|source| KeeperError::File { path, source })?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(_) => Err(KeeperError::Held(dir.path().to_path_buf())),
    }
}

pub(super) fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Root => "root",
        Mode::Rootless => "rootless",
    }
}

/// Everything up to running nodes.
pub(super) async fn yard(
    dir: YardDir,
    settings: Settings,
    events: mpsc::Sender<Event>,
    progress: &Progress,
) -> Result<Keeper, KeeperError> {
    let mode = if rustix::process::geteuid().is_root() { Mode::Root } else { Mode::Rootless };
    progress.step("certificates");
    super::credentials::ensure(&dir, &settings)?;
    progress.step("yard's network");
    if YardHolder::adopt(dir.path()).map_err(sandbox)?.is_none() {
        let path = dir.clock_ahead();
        crate::yard::clock::set_right(&dir).map_err(|source| KeeperError::File { path, source })?;
        // Nobody reaches what still runs of a yard whose holder was killed: its network is not the one made now.
        let swept = emberyard_sandbox::sweep(dir.path()).map_err(sandbox)?;
        if swept > 0 {
            tracing::warn!(processes = swept, "the yard's holder was killed: what outlived it is stopped");
        }
    }
    let yard = emberyard_sandbox::create_yard(dir.path(), mode).map_err(sandbox)?;
    let place = Place::from(&yard);
    let setup: &[&str] = if settings.outbound_by_proxy { &["setup", "--no-redirect"] } else { &["setup"] };
    net_step(&dir, &place, setup).await?;
    let outbound = crate::yard::outbound(&dir);
    let records = Records::new(&dir.run());
    let door = matches!(outbound, Some(Outbound::Door { .. }));
    let sockets = sockets(&records, &settings, &place, door).await?;
    let mut keeper = Keeper {
        records,
        dir,
        settings,
        mode,
        yard,
        outbound,
        sockets,
        children: BTreeMap::new(),
        backoff: BTreeMap::new(),
        nodes: BTreeMap::new(),
        stage: Stage::Running,
        events,
    };
    progress.step("API server");
    let _ = std::fs::remove_file(keeper.dir.api_failure()); // of an earlier start
    keeper.replace_other_version(&Role::Api).await;
    keeper.start_child(&Role::Api);
    wait_for_api(&keeper.dir).await?;
    progress.step("operator and gateway");
    keeper.replace_other_version(&Role::Operator).await;
    keeper.start_child(&Role::Operator);
    progress.step("nodes");
    keeper.start_fleet().await?;
    Ok(keeper)
}

fn sandbox(error: emberyard_sandbox::SandboxError) -> KeeperError {
    KeeperError::Sandbox(error.to_string())
}

/// Opens all listening sockets: the machine's side here, the yard's side in its namespace. Children of an earlier keeper
/// listen already: their sockets are shared. Relay and forwarder listen in the yard and dial from here, on the machine's
/// side.
async fn sockets(records: &Records, settings: &Settings, place: &Place, door: bool) -> Result<Sockets, KeeperError> {
    let listen = |port| ports::listen(port).map_err(|failure| KeeperError::Port(failure.to_string()));
    let open = |wanted: &[SocketSpec]| emberyard_sandbox::open_in(place, wanted).map_err(sandbox);
    let at = |port| SocketAddr::from((YARD_ADDRESS, port));
    let few = || KeeperError::Sandbox("fewer sockets than asked for".to_owned());
    let api = match inherit(records, &Role::Api, 2).await {
        Some(sockets) => sockets,
        None => {
            std::iter::once(listen(settings.api_port)?.into()).chain(open(&[SocketSpec::Tcp(at(API_PORT))])?).collect()
        }
    };
    let gateway = match inherit(records, &Role::Operator, 1).await {
        Some(sockets) => sockets,
        None => vec![listen(settings.gateway_port)?.into()],
    };
    let api = <[OwnedFd; 2]>::try_from(api).map_err(|_| few())?;
    let [gateway] = <[OwnedFd; 1]>::try_from(gateway).map_err(|_| few())?;
    let relay_at = SocketAddr::from((Ipv4Addr::UNSPECIFIED, RELAY_PORT));
    let opened = open(&[SocketSpec::Tcp(relay_at), SocketSpec::Udp(at(53)), SocketSpec::Tcp(at(53))])?;
    let [relay, dns_udp, dns_tcp] = <[OwnedFd; 3]>::try_from(opened).map_err(|_| few())?;
    let door = if door { open(&[SocketSpec::Tcp(at(PROXY_PORT))])?.pop() } else { None };
    let sockets = RelaySockets {
        door: door.map(TcpListener::from),
        tcp: TcpListener::from(relay),
        dns_udp: UdpSocket::from(dns_udp),
        dns_tcp: TcpListener::from(dns_tcp),
    };
    let allowed = settings.allow_host.iter().copied().collect();
    tokio::spawn(async move {
        if let Err(error) = emberyard_node::relay::run(sockets, allowed, CancellationToken::new()).await {
            tracing::error!(%error, "the relay ended: pods reach nothing outside");
        }
    });
    Ok(Sockets { api, gateway })
}

/// The sockets of a child that outlived its keeper. One whose sockets can't be had is stopped: a new one gets new sockets.
async fn inherit(records: &Records, role: &Role, count: i32) -> Option<Vec<OwnedFd>> {
    let process = records.adopt(role)?;
    let shared = process.pidfd().ok().and_then(|pidfd| crate::machine::listeners_of(pidfd, count).ok());
    if shared.is_none() {
        tracing::warn!(%role, pid = process.pid, "its sockets can't be shared; it is started again");
        super::children::stop(&process, Duration::from_secs(3)).await;
        records.forget(role);
    }
    shared
}

/// The API server answers as soon as it listens with what it has restored.
async fn wait_for_api(dir: &YardDir) -> Result<(), KeeperError> {
    let start = Instant::now();
    while start.elapsed() < API_PATIENCE {
        // Its socket takes connections whether it lives or not: one that is not answered must not hide why.
        if tokio::time::timeout(API_TRY, super::credentials::api_answers(dir)).await == Ok(true) {
            return Ok(());
        }
        if let Ok(why) = std::fs::read_to_string(dir.api_failure()) {
            return Err(KeeperError::Api(why));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(KeeperError::NotReady(API_PATIENCE.as_secs()))
}

impl Keeper {
    /// Starts a child afresh, with its sockets, in its place.
    pub(super) fn spawn(&self, role: &Role) -> Result<Child, KeeperError> {
        let copy = |fd: &OwnedFd| fd.try_clone().map_err(KeeperError::System);
        let (words, fds, place) = match role {
            Role::Api => (
                vec!["api".to_owned()],
                self.sockets.api.iter().map(copy).collect::<Result<_, _>>()?,
                Place::from(&self.yard),
            ),
            Role::Operator => {
                (vec!["operator".to_owned()], vec![copy(&self.sockets.gateway)?], Place::from(&self.yard))
            }
            Role::Agent(name) => {
                let holder = self.nodes.get(name).and_then(|node| node.holder.as_ref());
                let holder = holder.ok_or_else(|| KeeperError::Sandbox(format!("node {name} is not running")))?;
                (vec!["node-agent".to_owned(), name.to_string()], Vec::new(), Place::from(holder))
            }
        };
        let log = self.dir.log().join(format!("{role}.log"));
        spawn(&self.dir, &place, &words, fds, log)
    }
}

fn spawn(
    dir: &YardDir,
    place: &Place,
    words: &[String],
    fds: Vec<OwnedFd>,
    log: PathBuf,
) -> Result<Child, KeeperError> {
    let mut argv: Vec<OsString> = vec!["/proc/self/exe".into(), "--dir".into(), dir.path().into()];
    argv.extend(words.iter().map(OsString::from));
    let command = Command { argv, env: environment(dir), fds, log, cwd: PathBuf::from("/") };
    emberyard_sandbox::spawn_in(place, command).map_err(sandbox)
}

/// What our own processes get of the environment: nothing of the user's but language and log level.
fn environment(dir: &YardDir) -> Vec<(OsString, OsString)> {
    let kept = ["LANG", "TZ", "RUST_LOG", "RUST_BACKTRACE", "PATH"];
    let mut environment: Vec<_> =
        kept.iter().filter_map(|name| std::env::var_os(name).map(|value| (OsString::from(name), value))).collect();
    environment.push((YARD_MARK.into(), dir.path().into()));
    environment
}

/// Runs a step of a running yard's network and waits for its end.
///
/// # Errors
/// [`KeeperError`] when no yard runs or the step fails.
pub fn network_step(dir: &YardDir, words: &[String]) -> Result<(), KeeperError> {
    let yard = YardHolder::adopt(dir.path()).map_err(sandbox)?;
    let yard = yard.ok_or_else(|| KeeperError::Sandbox(format!("no yard runs in {}", dir.path().display())))?;
    finish_step(dir, &Place::from(&yard), words.to_vec())
}

/// Runs a step of the yard's network inside its namespace.
async fn net_step(dir: &YardDir, place: &Place, words: &[&str]) -> Result<(), KeeperError> {
    let (dir, place) = (dir.clone(), place.clone());
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let ended = tokio::task::spawn_blocking(move || finish_step(&dir, &place, words)).await;
    ended.map_err(|error| KeeperError::Sandbox(error.to_string()))?
}

/// Starts a step and waits for its end.
fn finish_step(dir: &YardDir, place: &Place, mut words: Vec<String>) -> Result<(), KeeperError> {
    words.insert(0, "yard-net".to_owned());
    let log = dir.log().join("network.log");
    let child = spawn(dir, place, &words, Vec::new(), log.clone())?;
    match child.wait(Some(Duration::from_secs(10))).map_err(sandbox)? {
        Some(0) => Ok(()),
        _ => Err(KeeperError::Sandbox(format!("network step `{}` failed: see {}", words.join(" "), log.display()))),
    }
}

/// Nodes of the last life, by their folders.
pub(super) fn known_nodes(dir: &YardDir) -> Vec<NodeFile> {
    let Ok(entries) = std::fs::read_dir(dir.nodes()) else { return Vec::new() };
    let mut files: Vec<NodeFile> = entries
        .flatten()
        .filter_map(|entry| serde_json::from_slice(&std::fs::read(entry.path().join("node.json")).ok()?).ok())
        .collect();
    files.sort_by_key(|file| file.index);
    files
}

/// Makes a node's folder with its file, certificates and kubeconfig.
pub(super) fn write_node(dir: &YardDir, file: &NodeFile) -> Result<(), KeeperError> {
    let folder = dir.node(&file.name);
    let wrong = |source| KeeperError::File { path: folder.clone(), source };
    for part in ["pods", "hostpath"] {
        std::fs::create_dir_all(folder.join(part)).map_err(wrong)?;
    }
    super::credentials::ensure_node(dir, file)?;
    let text = serde_json::to_vec_pretty(file).map_err(|error| KeeperError::Sandbox(error.to_string()))?;
    write_private(&folder.join("node.json"), &text).map_err(wrong)
}

/// Holder and cable of a node; a holder that still lives is adopted.
pub(super) async fn node(dir: &YardDir, yard: &YardHolder, file: &NodeFile) -> Result<NodeHolder, KeeperError> {
    write_node(dir, file)?; // certificates renew, mounts may have changed
    let holder = emberyard_sandbox::create_node(yard, file.name.as_str(), &dir.node(&file.name)).map_err(sandbox)?;
    let (index, pid) = (file.index.to_string(), holder.process.pid.to_string());
    net_step(dir, &Place::from(yard), &["attach", file.name.as_str(), &index, &pid]).await?;
    Ok(holder)
}

/// Takes away what a removed node leaves: its cable and its folder.
pub(super) async fn forget_node(dir: &YardDir, yard: &YardHolder, file: &NodeFile) {
    let index = file.index.to_string();
    if let Err(error) = net_step(dir, &Place::from(yard), &["detach", file.name.as_str(), &index]).await {
        tracing::debug!(%error, "its cable went with its namespace");
    }
    let folder = dir.node(&file.name);
    let removed = tokio::task::spawn_blocking(move || emberyard_sandbox::remove_tree(&folder)).await;
    if let Ok(Err(error)) = removed {
        tracing::error!(node = %file.name, %error, "its folder could not be removed");
    }
}

/// Ends the yard's holder, and with it its namespaces.
pub(super) fn stop_yard(yard: &YardHolder) {
    if let Err(error) = yard.kill() {
        tracing::error!(%error, "the yard's holder could not be stopped");
    }
}
