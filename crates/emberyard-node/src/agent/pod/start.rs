//! Starting one container: everything it needs, put together.

use super::exit::{log_file, message_file};
use super::message::StartError;
use super::sandbox::defaults;
use super::volumes::{Place, Places};
use crate::agent::{Node, files, objects};
use emberyard_image::Resolved;
use emberyard_pod::spec::{Container, Pod};
use emberyard_pod::status::{Qos, qos};
use emberyard_pod::{Sources, env, files as texts, process, volumes};
use emberyard_sandbox::{
    ContainerSpec, ContainerState, Limits, MountSource, MountSpec, Owner, PodSandbox, SandboxError,
};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where programs are looked for if neither image nor pod says so.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What to start.
pub(super) struct Start {
    pub node: Arc<Node>,
    pub pod: Pod,
    pub dir: PathBuf,
    pub sandbox: PodSandbox,
    pub container: String,
    pub attempt: u32,
    pub pod_ip: Option<Ipv4Addr>,
    pub places: Places,
    pub image: Option<Arc<Resolved>>,
    pub sources: Arc<Mutex<Sources>>,
}

fn config_error(error: impl ToString) -> StartError {
    StartError::Refused { reason: "CreateContainerConfigError", message: error.to_string() }
}

fn create_error(error: impl ToString) -> StartError {
    StartError::Refused { reason: "CreateContainerError", message: error.to_string() }
}

/// Starts it; returns when its program runs.
pub(super) async fn run(order: Start) -> Result<ContainerState, StartError> {
    let Some(container) = order.pod.container(&order.container).cloned() else {
        return Err(config_error("there is no such container"));
    };
    let found = sources(&order, &container).await?;
    let work = move || {
        // After a restart of the agent the image is looked up again.
        let image = match &order.image {
            Some(image) => image.clone(),
            None => Arc::new(order.node.store.resolve(&container.image).map_err(create_error)?),
        };
        let spec = assemble(&order, &container, &image, &found)?;
        let state = order.sandbox.start_container(&spec).map_err(|e| refused(&spec, e))?;
        forget(&order);
        Ok(state)
    };
    tokio::task::spawn_blocking(work).await.map_err(create_error)?
}

async fn sources(order: &Start, container: &Container) -> Result<Sources, StartError> {
    let (maps, secrets) = env::references(container);
    let before = order.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if maps.is_empty() && secrets.is_empty() {
        return Ok(before);
    }
    let namespace = &order.pod.metadata.namespace;
    objects::sources(&order.node, namespace, (&maps, &secrets), &before).await.map_err(config_error)
}

fn assemble(
    order: &Start,
    container: &Container,
    image: &Resolved,
    sources: &Sources,
) -> Result<ContainerSpec, StartError> {
    let (pod, name, attempt) = (&order.pod, &container.name, order.attempt);
    let facts = order.node.facts(order.pod_ip);
    let own = env::build(pod, container, &facts, sources).map_err(config_error)?;
    let start = defaults(image);
    let user = &image.config.user;
    let (uid, gid) = process::user(pod, container, &start, (user.uid, user.gid));
    let must_not_be_root = container.security_context.run_as_non_root.or(pod.spec.security_context.run_as_non_root);
    if uid == 0 && must_not_be_root == Some(true) {
        return Err(config_error("container has runAsNonRoot and image will run as root"));
    }
    let home = if uid == user.uid && !user.home.is_empty() { user.home.clone() } else { "/".to_owned() };
    let mut env: BTreeMap<String, String> = BTreeMap::from([
        ("PATH".to_owned(), PATH.to_owned()),
        ("HOME".to_owned(), home.clone()),
        ("HOSTNAME".to_owned(), texts::hostname(pod, &facts)),
    ]);
    env.extend(image.config.env.clone());
    env.extend(own.clone());
    env.extend(given(&order.node.config.environment, &env));
    let limit = |name: &str| container.resources.limits.get(name);
    let request = |name: &str| container.resources.requests.get(name).or(limit(name));
    let limits = Limits {
        memory: limit("memory").map(|q| q.units().unsigned_abs()),
        cpu_milli: limit("cpu").map(|q| q.milli().unsigned_abs()),
        cpu_request_milli: request("cpu").map(|q| q.milli().unsigned_abs()),
        pids: None,
    };
    let mut groups = pod.spec.security_context.supplemental_groups.clone();
    groups.extend(pod.spec.security_context.fs_group);
    Ok(ContainerSpec {
        name: name.clone(),
        attempt,
        lowers: image.lowers.clone(),
        scratch: scratch(&order.dir, name, attempt),
        read_only_root: container.security_context.read_only_root_filesystem,
        mounts: mounts(order, container, image, &own, (uid, gid, &home))?,
        shm_size: None,
        argv: process::argv(container, &start, &own)
            .map_err(|e| StartError::CannotRun { code: 127, message: e.to_string() })?,
        env: env.into_iter().collect(),
        cwd: process::workdir(container, &start).into(),
        uid,
        gid,
        groups,
        tty: container.tty,
        stdin: container.stdin,
        stdin_once: container.stdin_once,
        log: log_file(&order.dir, name, attempt),
        limits,
        oom_score_adj: oom_score(order, container),
        unconfined: process::is_unconfined(pod, container),
    })
}

/// What the node gives of its own: nothing that is there already, in capitals or not (`https_proxy`, `HTTPS_PROXY`).
fn given(node: &BTreeMap<String, String>, there: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let missing = |name: &str| !there.keys().any(|own| own.eq_ignore_ascii_case(name));
    node.iter().filter(|(name, _)| missing(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn scratch(dir: &Path, container: &str, attempt: u32) -> PathBuf {
    dir.join("scratch").join(format!("{container}.{attempt}"))
}

/// Who goes first when memory runs out, as a kubelet sets it: BestEffort, then those that use more than they asked for.
fn oom_score(order: &Start, container: &Container) -> i32 {
    match qos(&order.pod) {
        Qos::BestEffort => 1000,
        Qos::Guaranteed => 0,
        Qos::Burstable => {
            let asked = container.resources.requests.get("memory").map_or(0, |q| q.units());
            let all = i64::try_from(order.node.config.capacity.memory.0).unwrap_or(i64::MAX).max(1);
            let share = 1000 - 1000 * i128::from(asked) / i128::from(all);
            i32::try_from(share).unwrap_or(2).clamp(2, 999)
        }
    }
}

fn mounts(
    order: &Start,
    container: &Container,
    image: &Resolved,
    env: &BTreeMap<String, String>,
    (uid, gid, home): (u32, u32, &str),
) -> Result<Vec<MountSpec>, StartError> {
    let bind = |path: PathBuf, sub_path: Option<PathBuf>, owner: Owner| MountSource::Bind { path, sub_path, owner };
    let etc = order.dir.join("etc");
    let mut list = Vec::new();
    let mut own = |target: &str, path: PathBuf| {
        if !container.volume_mounts.iter().any(|m| m.mount_path.trim_end_matches('/') == target) {
            let source = bind(path, None, Owner::Pod);
            list.push(MountSpec { target: target.into(), source, read_only: false });
        }
    };
    for name in ["hosts", "hostname", "resolv.conf"] {
        own(&format!("/etc/{name}"), etc.join(name));
    }
    let of_image = image.lowers.iter().find_map(|l| std::fs::read_to_string(l.join("etc/passwd")).ok());
    let of_image = of_image.unwrap_or_default();
    let passwd = texts::passwd(&of_image, uid, gid, home);
    if passwd != of_image {
        let path = etc.join(format!("passwd.{}", container.name));
        files::replace(&path, passwd.as_bytes(), 0o644).map_err(create_error)?;
        own("/etc/passwd", path);
    }
    if !container.termination_message_path.is_empty() {
        let path = message_file(&order.dir, &container.name, order.attempt);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| files::replace(&path, b"", 0o666)).map_err(create_error)?;
        own(&container.termination_message_path, path);
    }
    for mount in volumes::mounts(&order.pod, container, env).map_err(config_error)? {
        let Some(place) = order.places.get(&mount.volume) else {
            return Err(create_error(format!("volume \"{}\" is not ready", mount.volume)));
        };
        let sub_path = (!mount.sub_path.is_empty()).then(|| PathBuf::from(&mount.sub_path));
        let Place { path, read_only, users, memory } = place.clone();
        let source = match memory {
            Some(size) if sub_path.is_none() => MountSource::Tmpfs { size: (size > 0).then_some(size), mode: 0o777 },
            _ => bind(path, sub_path, if users { Owner::Folder } else { Owner::Pod }),
        };
        list.push(MountSpec { target: mount.path.into(), source, read_only: read_only || mount.read_only });
    }
    Ok(list)
}

/// What a refusal of the supervisor means: a program that cannot be run is a run that ended, with the shell's codes.
fn refused(spec: &ContainerSpec, error: SandboxError) -> StartError {
    const ENOENT: i32 = 2;
    match error {
        SandboxError::Refused { step, message, errno } if step.starts_with("exec") => {
            let program = spec.argv.first().cloned().unwrap_or_default();
            let code = if errno == ENOENT { 127 } else { 126 };
            StartError::CannotRun { code, message: format!("cannot run \"{program}\": {message}") }
        }
        other => create_error(other),
    }
}

/// Drops what the run before the last one left: its files, and its log but one.
fn forget(order: &Start) {
    let Some(before) = order.attempt.checked_sub(1) else { return };
    let _ = emberyard_sandbox::remove_tree(&scratch(&order.dir, &order.container, before));
    let _ = order.sandbox.forget(&order.container, before);
    if let Some(old) = before.checked_sub(1) {
        let log = log_file(&order.dir, &order.container, old);
        let _ = std::fs::remove_file(&log);
        let _ = std::fs::remove_file(log.with_extension("log.1"));
        let _ = std::fs::remove_file(message_file(&order.dir, &order.container, old));
    }
}
