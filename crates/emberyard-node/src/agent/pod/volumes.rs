//! A pod's volumes on disk.

use super::message::Message;
use super::task::PodTask;
use crate::agent::{Node, files, objects};
use emberyard_client::path;
use emberyard_model::Timestamp;
use emberyard_pod::spec::VolumeKind;
use emberyard_pod::volumes::{self as rules, TokenRequest};
use emberyard_pod::{Facts, Pod, Sources};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where each volume of a pod is, by its name.
pub(crate) type Places = BTreeMap<String, Place>;

/// Where a volume is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Folder or file on the machine.
    pub path: PathBuf,
    /// Never writable.
    pub read_only: bool,
    /// A folder of the machine's own user, allowed by name: files there keep their owner.
    pub users: bool,
    /// In memory, of this many bytes at most (0: no limit), private to the one container that mounts it.
    pub memory: Option<u64>,
}

impl Place {
    fn at(path: PathBuf) -> Self {
        Self { path, read_only: false, users: false, memory: None }
    }
}

/// Tokens and when to renew them.
type Tokens = BTreeMap<TokenRequest, String>;

/// Everything preparation needs, taken along into the background.
#[derive(Clone)]
struct Work {
    node: Arc<Node>,
    pod: Pod,
    dir: PathBuf,
    sources: Arc<Mutex<Sources>>,
    facts: Facts,
}

impl Work {
    fn of(task: &PodTask) -> Self {
        Self {
            node: task.node.clone(),
            pod: task.pod.clone(),
            dir: task.dir.clone(),
            sources: task.sources.clone(),
            facts: task.node.facts(task.observed.pod_ip),
        }
    }

    fn folder(&self, volume: &str) -> PathBuf {
        self.dir.join("volumes").join(volume)
    }
}

/// Begins to make all volumes ready.
pub(super) fn prepare(task: &PodTask) {
    let (work, news) = (Work::of(task), task.news.clone());
    tokio::spawn(async move {
        let outcome = all(&work).await;
        let _ = news.send(Message::Volumes(outcome));
    });
}

/// Begins to renew files made from objects, and tokens.
pub(super) fn refresh(task: &PodTask) {
    let has_files = task.pod.spec.volumes.iter().any(|v| matches!(v.kind, VolumeKind::Files { .. }));
    if !has_files || task.observed.volumes != emberyard_pod::Stage::Ready {
        return;
    }
    // One at a time: a slow API server may take longer than the time between two.
    if task.refreshing.swap(true, Ordering::AcqRel) {
        return;
    }
    let (work, refreshing) = (Work::of(task), task.refreshing.clone());
    tokio::spawn(async move {
        if let Err(error) = fill(&work).await {
            tracing::debug!(pod = %work.pod.metadata.name, %error, "volumes not renewed");
        }
        refreshing.store(false, Ordering::Release);
    });
}

/// Begins to remove what lives as long as the pod.
pub(super) fn release(task: &PodTask) {
    let (dir, news) = (task.dir.clone(), task.news.clone());
    tokio::task::spawn_blocking(move || {
        for folder in ["volumes", "scratch"] {
            if let Err(error) = emberyard_sandbox::remove_tree(&dir.join(folder)) {
                tracing::warn!(%error, "a pod's volume is left behind");
            }
        }
        let _ = news.send(Message::Released);
    });
}

async fn all(work: &Work) -> Result<Places, String> {
    let mut places = fill(work).await?;
    for volume in &work.pod.spec.volumes {
        let failed = |e: String| format!("MountVolume.SetUp failed for volume \"{}\" : {e}", volume.name);
        let place = match &volume.kind {
            VolumeKind::Files { .. } => continue,
            VolumeKind::EmptyDir { memory, size_limit } => {
                let folder = work.folder(&volume.name);
                files::open_folder(&folder).map_err(|e| failed(e.to_string()))?;
                let mounted = work.pod.all_containers().flat_map(|c| &c.volume_mounts);
                // Memory can't be shared between containers' file systems here: a volume that several mount is a folder.
                let private = mounted.filter(|m| m.name == volume.name).count() <= 1;
                let limit = size_limit.map_or(0, |q| q.units().unsigned_abs());
                Place { memory: (*memory && private).then_some(limit), ..Place::at(folder) }
            }
            VolumeKind::HostPath { path, kind } => host_path(&work.node, path, kind).map_err(failed)?,
            VolumeKind::Claim { name, read_only } => {
                let mut place = claim(work, name).await.map_err(failed)?;
                place.read_only |= *read_only;
                place
            }
            VolumeKind::Unsupported { field } => {
                return Err(failed(format!("volumes of kind {field} are not offered here")));
            }
        };
        places.insert(volume.name.clone(), place);
    }
    Ok(places)
}

/// Writes the volumes that are files; only those that changed.
async fn fill(work: &Work) -> Result<Places, String> {
    let (maps, secrets) = rules::references(&work.pod);
    let before = work.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let namespace = &work.pod.metadata.namespace;
    let mut found = objects::sources(&work.node, namespace, (&maps, &secrets), &before)
        .await
        .map_err(|e| format!("cannot read the pod's ConfigMaps and Secrets: {e}"))?;
    let tokens = tokens(work).await?;
    let mut places = Places::new();
    for volume in &work.pod.spec.volumes {
        let VolumeKind::Files { sources, default_mode } = &volume.kind else { continue };
        let files = rules::files(&work.pod, sources, *default_mode, &work.facts, &found, &tokens)
            .map_err(|e| format!("MountVolume.SetUp failed for volume \"{}\" : {e}", volume.name))?;
        let folder = work.folder(&volume.name);
        if !same(&folder, &files) {
            files::project(&folder, &files)
                .map_err(|e| format!("MountVolume.SetUp failed for volume \"{}\" : {e}", volume.name))?;
        }
        places.insert(volume.name.clone(), Place { read_only: true, ..Place::at(folder) });
    }
    let mut known = work.sources.lock().unwrap_or_else(PoisonError::into_inner);
    known.config_maps.append(&mut found.config_maps);
    known.secrets.append(&mut found.secrets);
    Ok(places)
}

fn same(folder: &Path, files: &BTreeMap<String, rules::FileContent>) -> bool {
    let data = folder.join("..data");
    // A volume of optional sources may have no file at all, and must be there all the same.
    data.exists()
        && count_files(&data) == files.len()
        && files.iter().all(|(p, c)| fs::read(data.join(p)).is_ok_and(|b| b == c.bytes))
}

fn count_files(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|e| if e.path().is_dir() { count_files(&e.path()) } else { 1 }).sum()
}

/// A token on disk with its times, so that it is renewed in time by any agent.
#[derive(Serialize, Deserialize)]
struct Kept {
    audience: String,
    expiration: u64,
    token: String,
    #[serde(default)]
    made: Timestamp,
    renew: Timestamp,
}

impl Kept {
    /// Neither near its end nor from the future: after the clock was set back nobody takes it yet.
    fn is_good(&self, now: Timestamp) -> bool {
        self.made <= now && now < self.renew
    }
}

/// The pod's tokens: kept ones while they are young, else new ones (at four fifths of their life, as a kubelet).
async fn tokens(work: &Work) -> Result<Tokens, String> {
    let wanted = rules::tokens(&work.pod);
    let file = work.dir.join("tokens.json");
    let kept: Vec<Kept> = files::load(&file).unwrap_or_default();
    let now = work.node.now();
    let (mut tokens, mut keep, mut changed) = (Tokens::new(), Vec::new(), false);
    for request in wanted {
        let old = kept.iter().find(|k| k.audience == request.audience && k.expiration == request.expiration);
        let (token, made, renew) = match old {
            Some(old) if old.is_good(now) => (old.token.clone(), old.made, old.renew),
            _ => match objects::token(&work.node, &work.pod, &request).await {
                Ok((token, expires)) => {
                    changed = true;
                    let life = Timestamp::parse(&expires).map_or(Duration::from_secs(600), |at| at.since(now));
                    (token, now, now.plus(life.mul_f64(0.8)))
                }
                // An old token is better than none while the API server is away.
                Err(error) => match old {
                    Some(old) if error.is_passing() => (old.token.clone(), old.made, old.renew),
                    _ => return Err(format!("no token for the pod's service account: {error}")),
                },
            },
        };
        keep.push(Kept {
            audience: request.audience.clone(),
            expiration: request.expiration,
            token: token.clone(),
            made,
            renew,
        });
        tokens.insert(request, token);
    }
    if changed {
        files::save(&file, &keep).map_err(|e| format!("tokens cannot be kept: {e}"))?;
    }
    Ok(tokens)
}

fn host_path(node: &Node, path: &str, kind: &str) -> Result<Place, String> {
    let (real, users) = node.host_path(path);
    let made = match kind {
        "FileOrCreate" if !real.exists() => {
            let parent = real.parent().map_or(Ok(()), fs::create_dir_all);
            parent.and_then(|()| fs::File::create(&real).map(drop))
        }
        // Nothing of the machine is below the node's own folder: what is asked for is made.
        "" | "DirectoryOrCreate" | "Directory" if !real.exists() && !users => files::open_folder(&real),
        _ => Ok(()),
    };
    made.map_err(|e| format!("{path}: {e}"))?;
    if !real.exists() {
        return Err(format!("hostPath {path} does not exist"));
    }
    Ok(Place { users, ..Place::at(real) })
}

/// The place of a bound claim.
async fn claim(work: &Work, name: &str) -> Result<Place, String> {
    let get = async |path: String, what: &'static str, name: &str| match work.node.client.find(&path).await {
        Ok(Some(object)) => Ok(object),
        Ok(None) => Err(format!("{what} \"{name}\" not found")),
        Err(error) => Err(error.to_string()),
    };
    let own = path("", "v1", &work.pod.metadata.namespace, "persistentvolumeclaims", name);
    let claim = get(own, "persistentvolumeclaim", name).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let volume = text(&claim["spec"]["volumeName"]);
    if claim["status"]["phase"] != "Bound" || volume.is_empty() {
        return Err(format!("persistentvolumeclaim \"{name}\" is not bound yet"));
    }
    let object = get(path("", "v1", "", "persistentvolumes", &volume), "persistentvolume", &volume).await?;
    let spec = &object["spec"];
    let local = [&spec["hostPath"]["path"], &spec["local"]["path"]].into_iter().find_map(Value::as_str);
    let Some(local) = local else {
        return Err(format!("persistentvolume \"{volume}\" is neither hostPath nor local"));
    };
    let real = volume_path(&work.node, local);
    files::open_folder(&real).map_err(|e| format!("{}: {e}", real.display()))?;
    Ok(Place::at(real))
}

/// The local provisioner's volumes lie in the yard's own folder, one disk for all nodes; others as hostPath has it.
fn volume_path(node: &Node, path: &str) -> PathBuf {
    let climbs = path.split('/').any(|part| part == "..");
    if !climbs && Path::new(path).starts_with(node.holder.yard.join("volumes")) {
        return PathBuf::from(path);
    }
    node.host_path(path).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_from_its_making_until_its_renewal() {
        let at = Timestamp::from_seconds;
        let kept =
            Kept { audience: String::new(), expiration: 3607, token: String::new(), made: at(100), renew: at(200) };
        assert!(kept.is_good(at(100)) && kept.is_good(at(199)));
        assert!(!kept.is_good(at(200)) && !kept.is_good(at(99)));
    }

    #[test]
    fn a_volume_without_files_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let volume = folder.path().join("optional");
        assert!(!same(&volume, &BTreeMap::new()));
        files::project(&volume, &BTreeMap::new()).unwrap();
        assert!(same(&volume, &BTreeMap::new()));
    }
}
