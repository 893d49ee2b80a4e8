//! Whether an HDFS serves, and whether all its blocks are as safe as they should be.

use super::Hdfs;
use super::pods::{DATA_NODE, NAME_NODE};
use crate::api::api;
use crate::chaos::{Scene, until};
use emberyard_client::path;
use emberyard_model::HdfsStatus;
use emberyard_model::hdfs::HDFS_CLUSTERS;
use emberyard_model::notebook::{GROUP, VERSION};
use emberyard_object::view::{Meta, PodView};
use emberyard_sim::Took;
use std::time::{Duration, Instant};

/// Between two looks that must both be good: what has just died is not missed at once, and a NameNode counts blocks anew
/// after it has noticed a death.
const APART: Duration = Duration::from_secs(2);

/// All parts are there and ready, one NameNode is active and the other stands by, and all DataNodes have reported.
pub async fn serves(scene: &Scene, hdfs: &Hdfs) -> Result<(), String> {
    whole(scene, hdfs).await.map(drop)
}

/// What [`serves()`] says, twice, and no block lacks a copy. Gives how long that took.
pub async fn settled(scene: &Scene, hdfs: &Hdfs, patience: Duration) -> Took {
    let since = Instant::now();
    until(since, patience, async || {
        blocks(scene, hdfs).await?;
        tokio::time::sleep(APART).await;
        blocks(scene, hdfs).await
    })
    .await
}

async fn whole(scene: &Scene, hdfs: &Hdfs) -> Result<String, String> {
    let wanted = parts(scene, hdfs).await?;
    for (part, wanted) in &wanted {
        let ready = hdfs
            .objects(scene, Some(part))
            .await?
            .iter()
            .filter(|pod| PodView(pod).is_ready() && !Meta(pod).is_deleting())
            .count();
        if ready != *wanted {
            return Err(format!("{ready} of {wanted} {part}s are ready"));
        }
    }
    let mut active = None;
    let pods = hdfs.pods(scene, Some(NAME_NODE.part)).await?;
    for pod in &pods {
        match hdfs.state(scene, &pod.name).await.as_deref() {
            Some("active") if active.is_some() => return Err("two NameNodes say that they are active".to_owned()),
            Some("active") => active = Some(pod.name.clone()),
            Some("standby") => {}
            state => return Err(format!("{} is {}", pod.name, state.unwrap_or("silent"))),
        }
    }
    let active = active.ok_or("no NameNode is active")?;
    if hdfs.bean(scene, &active, "NameNodeInfo").await?["Safemode"] != "" {
        return Err(format!("{active} is in safe mode"));
    }
    let live = hdfs.bean(scene, &active, "FSNamesystemState").await?["NumLiveDataNodes"].as_u64();
    let all = wanted.iter().find(|(part, _)| part == DATA_NODE.part).map_or(0, |(_, wanted)| *wanted as u64);
    if live != Some(all) {
        return Err(format!("{live:?} of {all} DataNodes have reported"));
    }
    Ok(active)
}

async fn blocks(scene: &Scene, hdfs: &Hdfs) -> Result<(), String> {
    let active = whole(scene, hdfs).await?;
    let counts = hdfs.bean(scene, &active, "FSNamesystem").await?;
    // MissingBlocks are those without a good copy. CorruptBlocks are not asked for: a killed DataNode brings an old copy back of
    // the block that was being written, which stays counted there although all wanted copies are good.
    for what in ["MissingBlocks", "UnderReplicatedBlocks", "PendingReconstructionBlocks"] {
        match counts[what].as_u64() {
            Some(0) => {}
            count => return Err(format!("{what}: {count:?}")),
        }
    }
    Ok(())
}

async fn parts(scene: &Scene, hdfs: &Hdfs) -> Result<Vec<(String, usize)>, String> {
    let path = path(GROUP, VERSION, hdfs.namespace.as_str(), HDFS_CLUSTERS, hdfs.name.as_str());
    let cluster = scene.stage.client().get(&path, &[]).await.map_err(api).map_err(|failure| failure.to_string())?;
    let parts = HdfsStatus::of(&cluster).parts;
    if parts.is_empty() {
        return Err("nothing is said of the HDFS's parts".to_owned());
    }
    Ok(parts.into_iter().map(|part| (part.name, part.wanted as usize)).collect())
}
