//! Strikes an HDFS. Says who or what was struck, or why nothing could be.

use super::Hdfs;
use super::full::Full;
use super::pods::{DATA_NODE, JOURNAL_NODE, NAME_NODE, Server, ZKFC, ZOO_KEEPER, receives};
use crate::chaos::Scene;
use crate::chaos::find::Found;
use crate::chaos::linger::Cut;
use crate::chaos::strike::{kill, kill_node};
use crate::keeper::children::Role;
use emberyard_model::NodeName;
use emberyard_sandbox::ProcessId;
use emberyard_sim::{Fault, Strike};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A block is always being written; between two there is a moment without.
const PATIENCE: Duration = Duration::from_secs(20);

/// Strikes; none if the fault is not one of an HDFS.
pub async fn strike(scene: &Scene, hdfs: &Hdfs, strike: &Strike) -> Result<String, String> {
    match strike.fault {
        Fault::NameNode => {
            let active = hdfs.active(scene).await?;
            kill(&NAME_NODE.processes(&active))?;
            Ok(place(&active))
        }
        Fault::NameNodePod => {
            let active = hdfs.active(scene).await?;
            kill(std::slice::from_ref(active.sandbox.supervisor()))?;
            Ok(place(&active))
        }
        Fault::NameNodes => {
            let pods = hdfs.pods(scene, Some(NAME_NODE.part)).await?;
            let both: Vec<ProcessId> = pods.iter().flat_map(|pod| NAME_NODE.processes(pod)).collect();
            kill(&both)?;
            Ok(format!("{} NameNodes", both.len()))
        }
        Fault::NameNodeLink => cut(scene, hdfs, strike).await,
        Fault::NameNodeCable => cut_off(scene, hdfs, strike).await,
        Fault::Zkfc => kill_one(scene, hdfs, strike, ZKFC).await,
        Fault::JournalNode => kill_one(scene, hdfs, strike, JOURNAL_NODE).await,
        Fault::ZooKeeper => kill_one(scene, hdfs, strike, ZOO_KEEPER).await,
        Fault::DataNode => {
            let (pod, processes) = receiving(scene, hdfs, strike).await?;
            kill(&processes)?;
            Ok(place(&pod))
        }
        Fault::JournalNodeFull => {
            let pod = one(scene, hdfs, strike, JOURNAL_NODE).await?;
            fill(&pod, &JOURNAL_NODE.processes(&pod), strike).await
        }
        Fault::DataNodeFull => {
            let (pod, processes) = receiving(scene, hdfs, strike).await?;
            fill(&pod, &processes, strike).await
        }
        Fault::HdfsNode => {
            let home = scene.notebook_pod().await?.node;
            let nodes: BTreeSet<NodeName> = hdfs.pods(scene, None).await?.into_iter().map(|pod| pod.node).collect();
            let others: Vec<NodeName> = nodes.into_iter().filter(|node| *node != home).collect();
            kill_node(scene, strike.choose(&others).ok_or("all of it is on the notebook's node")?)
        }
        Fault::HdfsPods => {
            let pods = hdfs.pods(scene, None).await?;
            let all: Vec<ProcessId> = pods.iter().map(|pod| pod.sandbox.supervisor().clone()).collect();
            kill(&all)?;
            Ok(format!("{} pods", all.len()))
        }
        other => Err(format!("{other} does not strike an HDFS")),
    }
}

/// Cuts the NameNodes' nodes from each other.
async fn cut(scene: &Scene, hdfs: &Hdfs, strike: &Strike) -> Result<String, String> {
    let pods = hdfs.pods(scene, Some(NAME_NODE.part)).await?;
    let nodes: BTreeSet<NodeName> = pods.into_iter().map(|pod| pod.node).collect();
    let [a, b] = nodes.iter().collect::<Vec<_>>()[..] else {
        return Err("both NameNodes are on one node: there is no link between them".to_owned());
    };
    let cut = Cut::between(&scene.dir, scene.number(a)?, scene.number(b)?)?;
    tokio::time::sleep(strike.lasts()).await;
    cut.mend()?;
    Ok(format!("{a} and {b} for {} ms", strike.lasts_ms))
}

/// Cuts the active NameNode's pod from everything.
async fn cut_off(scene: &Scene, hdfs: &Hdfs, strike: &Strike) -> Result<String, String> {
    let active = hdfs.active(scene).await?;
    let cut = Cut::around_pod(&scene.dir, &scene.child(&Role::Agent(active.node.clone()))?, active.ip)?;
    tokio::time::sleep(strike.lasts()).await;
    cut.mend()?;
    Ok(format!("{} for {} ms", place(&active), strike.lasts_ms))
}

async fn fill(pod: &Found, processes: &[ProcessId], strike: &Strike) -> Result<String, String> {
    let full = Full::make(processes)?;
    tokio::time::sleep(strike.lasts()).await;
    drop(full);
    Ok(format!("{} for {} ms", place(pod), strike.lasts_ms))
}

async fn kill_one(scene: &Scene, hdfs: &Hdfs, strike: &Strike, server: Server) -> Result<String, String> {
    let pod = one(scene, hdfs, strike, server).await?;
    kill(&server.processes(&pod))?;
    Ok(place(&pod))
}

async fn one(scene: &Scene, hdfs: &Hdfs, strike: &Strike, server: Server) -> Result<Found, String> {
    let pods = hdfs.pods(scene, Some(server.part)).await?;
    strike.take(pods).ok_or_else(|| format!("no {} runs", server.part))
}

/// A DataNode that a block is being written to.
async fn receiving(scene: &Scene, hdfs: &Hdfs, strike: &Strike) -> Result<(Found, Vec<ProcessId>), String> {
    let begun = Instant::now();
    loop {
        let mut pods = hdfs.pods(scene, Some(DATA_NODE.part)).await?;
        pods.retain(|pod| DATA_NODE.processes(pod).iter().any(receives));
        if let Some(pod) = strike.take(pods) {
            let processes = DATA_NODE.processes(&pod);
            return Ok((pod, processes));
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("no block was written for {} s", PATIENCE.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn place(pod: &Found) -> String {
    format!("{} on {}", pod.name, pod.node)
}
