//! What should not be there: objects of ended sessions, pods that live without an entry in the API, folders of pods that are
//! gone.

use super::{PATIENCE, Scene, took, until};
use emberyard_sandbox::PodSandbox;
use emberyard_sim::Took;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A pod that was deleted is ended and its folder removed within this.
const CLEANING: Duration = Duration::from_secs(35);

/// Waits until nothing is left of any session: first the objects, then what nodes had of them.
pub async fn cleared(scene: &Scene, since: Instant) -> Took {
    let objects = until(since, PATIENCE, async || {
        let left = scene.stage.left().await.map_err(|failure| failure.to_string())?;
        if left.is_empty() { Ok(()) } else { Err(left.join(", ")) }
    })
    .await;
    if matches!(objects, Took::Never(_)) {
        return objects;
    }
    let gone = took(since);
    match until(since, CLEANING, async || local(scene, false).await).await {
        Took::Ms(_) => gone,
        never @ Took::Never(_) => never,
    }
}

/// No pod lives that the API says is over, or does not know: a twin of its replacement.
pub async fn twins(scene: &Scene) -> Result<(), String> {
    match until(Instant::now(), CLEANING, async || local(scene, true).await).await {
        Took::Ms(_) => Ok(()),
        Took::Never(seen) => Err(seen),
    }
}

/// What lies on nodes of pods that are over: processes, and if not only these count, folders.
async fn local(scene: &Scene, only_processes: bool) -> Result<(), String> {
    let folders = folders(scene);
    let pods = scene.stage.pods().await.map_err(|failure| failure.to_string())?;
    let known: BTreeMap<&str, bool> = pods
        .iter()
        .filter_map(|pod| {
            let over = matches!(pod["status"]["phase"].as_str(), Some("Failed" | "Succeeded"));
            Some((pod["metadata"]["uid"].as_str()?, over))
        })
        .collect();
    for folder in folders {
        let uid = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let over = known.get(uid.as_str());
        if over != Some(&false) && PodSandbox::open(&folder).is_ok() {
            return Err(format!("the pod in {} lives on", folder.display()));
        }
        if over.is_none() && !only_processes {
            return Err(format!("{} is of no pod", folder.display()));
        }
    }
    Ok(())
}

/// The folders of all pods on all nodes. Looked at before the API is asked: a pod's folder is made after its entry.
fn folders(scene: &Scene) -> Vec<PathBuf> {
    let nodes = std::fs::read_dir(scene.dir.nodes()).into_iter().flatten().flatten();
    let pods = nodes.flat_map(|node| std::fs::read_dir(node.path().join("pods")).into_iter().flatten().flatten());
    pods.map(|pod| pod.path()).collect()
}
