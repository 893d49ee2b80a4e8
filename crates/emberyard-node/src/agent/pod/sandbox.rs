//! A pod's namespaces and network.

use super::message::Message;
use super::task::PodTask;
use crate::agent::{Node, blocking, files, gates};
use crate::net::pod as pod_net;
use emberyard_image::Resolved;
use emberyard_pod::network::Member;
use emberyard_pod::process::{self, ImageDefaults};
use emberyard_pod::{Event, Pod, files as texts};
use emberyard_sandbox::{IdMap, Limits, Mode, NodeHolder, PodSandbox, PodSandboxSpec, SandboxError, start_pod};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// Processes and threads of one pod. A JVM with many connections has hundreds; a fork bomb of more starves its neighbours.
const MOST_PROCESSES: u64 = 4096;
/// The uid of a pod whose image is not known either.
const NOBODYS: u32 = 1000;

/// How long TCP in pods waits until it sends again what nobody acknowledged. By default the waits double, up to two minutes:
/// of a link that was cut for 13 s a connection knows after 20 that it is back, and a new one, which is asked for while
/// it is cut, too. With 2 s at most a connection that nobody answers is given up after 8 minutes (255 tries), a new one after 2
/// (60); Linux's own are 15 and 2.
const RETRANSMISSION: [(&str, &str); 3] =
    [("net.ipv4.tcp_rto_max_ms", "2000"), ("net.ipv4.tcp_retries2", "255"), ("net.ipv4.tcp_syn_retries", "60")];
/// Kernels before 6.15 have no such limit.
const LIMIT: &str = "/proc/sys/net/ipv4/tcp_rto_max_ms";

/// Kernel settings of a pod's namespaces: what it asks for itself comes last.
fn sysctls(pod: &Pod) -> Vec<(String, String)> {
    let ours = if Path::new(LIMIT).exists() && !pod.spec.host_network { &RETRANSMISSION[..] } else { &[] };
    let ours = ours.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ours.chain(pod.spec.security_context.sysctls.iter().map(|s| (s.name.clone(), s.value.clone()))).collect()
}

/// What the pure part needs to know of an image.
pub(super) fn defaults(image: &Resolved) -> ImageDefaults {
    ImageDefaults {
        entrypoint: image.config.entrypoint.clone(),
        cmd: image.config.cmd.clone(),
        workdir: image.config.workdir.clone(),
        user: format!("{}:{}", image.config.user.uid, image.config.user.gid),
    }
}

/// The user of a pod without root: the one that its first container wants.
fn ids(node: &Node, pod: &Pod, image: Option<&Resolved>, ip: Ipv4Addr) -> IdMap {
    if node.holder.mode == Mode::Root {
        let slot = u16::from(node.config.number.get()) << 8 | u16::from(ip.octets()[3]);
        return IdMap::range(slot);
    }
    let image = image.map(defaults).unwrap_or_default();
    let Some(first) = pod.spec.containers.first() else { return IdMap::Single { uid: NOBODYS, gid: NOBODYS } };
    let (uid, gid) = process::user(pod, first, &image, (NOBODYS, NOBODYS));
    IdMap::Single { uid, gid }
}

/// Begins to make them.
pub(super) fn create(task: &PodTask) {
    let (node, pod, dir, news) = (task.node.clone(), task.pod.clone(), task.dir.clone(), task.news.clone());
    let first = pod.spec.containers.first().map(|c| c.name.clone()).unwrap_or_default();
    let image = task.images.get(&first).cloned();
    let Some(ip) = task.observed.pod_ip else {
        let _ = news.send(Message::Sandbox(Err("no address is free".into())));
        return;
    };
    let member = Member::at(&task.object, ip);
    tokio::spawn(async move {
        gates::known(&node).await;
        let make = move || {
            let made = make(&node, &pod, &dir, image.as_deref(), ip);
            if let (Ok(sandbox), Some(member)) = (&made, member) {
                close_gates(&node, &pod, sandbox, &member);
            }
            let _ = news.send(Message::Sandbox(made));
        };
        drop(tokio::task::spawn_blocking(make).await);
    });
}

fn make(node: &Arc<Node>, pod: &Pod, dir: &Path, image: Option<&Resolved>, ip: Ipv4Addr) -> Result<PodSandbox, String> {
    let facts = node.facts(Some(ip));
    let etc = dir.join("etc");
    let write = |name: &str, text: String| files::replace(&etc.join(name), text.as_bytes(), 0o644);
    std::fs::create_dir_all(&etc)
        .and_then(|()| write("hosts", texts::hosts(pod, &facts)))
        .and_then(|()| write("hostname", texts::hostname(pod, &facts) + "\n"))
        .and_then(|()| write("resolv.conf", texts::resolv_conf(pod, &facts)))
        .map_err(|e| format!("the pod's files cannot be written: {e}"))?;
    let spec = PodSandboxSpec {
        dir: dir.to_owned(),
        name: pod.metadata.uid.clone(),
        hostname: texts::hostname(pod, &facts),
        sysctls: sysctls(pod),
        host_network: pod.spec.host_network,
        ids: ids(node, pod, image, ip),
        limits: Limits { pids: Some(MOST_PROCESSES), ..Limits::default() },
    };
    let sandbox = begin(&node.holder, &spec).map_err(|e| e.to_string())?;
    if !pod.spec.host_network {
        let network = sandbox.netns_fd().map_err(|e| e.to_string());
        let joined = network.and_then(|fd| pod_net::attach(node.config.number, fd, ip).map_err(|e| e.to_string()));
        if let Err(message) = joined {
            let _ = sandbox.stop();
            return Err(message);
        }
        node.note_pod(ip, Some(&pod.metadata.namespace));
    }
    Ok(sandbox)
}

/// What policies close is closed before a container runs. Where the kernel can't, the pod runs all the same, as on a cluster
/// whose network knows no policies, but says so.
fn close_gates(node: &Node, pod: &Pod, sandbox: &PodSandbox, member: &Member) {
    let closed = sandbox.netns_fd().map_err(|e| e.to_string());
    let closed = closed.and_then(|fd| gates::first(node, member, fd).map_err(|e| e.to_string()));
    if let Err(message) = closed {
        let message = format!("network policies do not hold for this pod: {message}");
        node.events.pod(pod, None, Event::warning("NetworkPolicyNotEnforced", message));
    }
}

/// Starts the supervisor; one that an earlier try left is ended first.
fn begin(holder: &NodeHolder, spec: &PodSandboxSpec) -> Result<PodSandbox, SandboxError> {
    if let Ok(left) = PodSandbox::open(&spec.dir) {
        let _ = left.stop();
    }
    start_pod(holder, spec)
}

/// Passes on every change of the pod's containers, from a thread of its own, until the supervisor ends.
pub(super) fn follow(sandbox: &PodSandbox, news: &UnboundedSender<Message>) {
    let (sandbox, news) = (sandbox.clone(), news.clone());
    let spawned = std::thread::Builder::new().name("pod-watch".into()).spawn(move || {
        let Ok(mut watch) = sandbox.watch() else {
            see_out(&sandbox);
            let _ = news.send(Message::Lost);
            return;
        };
        loop {
            match watch.next(None) {
                Ok(Some(states)) => {
                    if news.send(Message::States(states)).is_err() {
                        return;
                    }
                }
                Ok(None) => {}
                Err(_) => {
                    see_out(&sandbox);
                    let _ = news.send(Message::Lost);
                    return;
                }
            }
        }
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "a pod cannot be watched");
    }
}

/// Waits until the processes of a pod whose supervisor has ended have ended too. As long as the pod's link stands, their peers
/// hear of it; without, an executor would wait for its driver until a time-out of minutes.
fn see_out(sandbox: &PodSandbox) {
    if !sandbox.supervisor().is_alive()
        && let Err(error) = sandbox.init().kill()
    {
        tracing::warn!(pod = %sandbox.dir().display(), %error, "processes of a pod without supervisor do not end");
    }
}

/// Begins to take them down.
pub(super) fn stop(task: &PodTask) {
    let (sandbox, news, dir) = (task.sandbox.clone(), task.news.clone(), task.dir.clone());
    let (node, uid) = (task.node.clone(), task.pod.metadata.uid.clone());
    let ip = task.observed.pod_ip.filter(|_| !task.pod.spec.host_network);
    tokio::spawn(async move {
        let stopped = tokio::task::spawn_blocking(move || {
            // A sandbox of an earlier agent, or of a try that failed half-way, is found by its folder.
            let found = sandbox.or_else(|| PodSandbox::open(&dir).ok());
            found.map(|s| s.stop().map(drop))
        });
        if let Ok(Some(Err(error))) = stopped.await {
            tracing::warn!(%uid, %error, "a pod's supervisor did not stop in order");
        }
        if let Some(ip) = ip {
            release_address(&node, &uid, ip).await;
        }
        let _ = news.send(Message::SandboxStopped);
    });
}

/// Takes the pod's link away and gives its address back. Nothing happens the second time: the address may be another
/// pod's by then.
pub(super) async fn release_address(node: &Arc<Node>, uid: &str, ip: Ipv4Addr) {
    if !node.ipam().has(uid) {
        return;
    }
    node.note_pod(ip, None);
    if let Err(error) = blocking(move || pod_net::detach(ip)).await {
        tracing::warn!(%uid, %error, "a pod's link is left behind");
    }
    node.ipam().release(uid);
}
