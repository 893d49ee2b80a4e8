//! An HDFS to be struck: found or made, written to meanwhile, looked after.

mod full;
mod health;
mod pods;
pub mod strike;
mod writer;

pub use health::{serves, settled};
pub use writer::{Writer, Written};

use super::{PATIENCE, Scene};
use crate::api::api;
use crate::cli::{HdfsDelete, HdfsTarget};
use crate::error::Failure;
use crate::progress::note;
use crate::verb::hdfs as verb;
use crate::yard::{NotebookSettings, YardDir};
use emberyard_client::{Client, path};
use emberyard_model::hdfs::{HDFS_CLUSTERS, HDFS_LABEL, HdfsStorage};
use emberyard_model::notebook::{GROUP, VERSION};
use emberyard_model::{HdfsSpec, NamespaceName, ObjectName, Quantity};
use emberyard_sim::{Fault, Took};
use pods::NAME_NODE;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Of one that is made for a rehearsal.
const NAME: &str = "chaos-hdfs";
/// An HDFS that is deleted has ended within this.
const GONE_WITHIN: Duration = Duration::from_mins(2);

/// The HDFS that is struck.
pub struct Hdfs {
    /// Its name, also that of its nameservice.
    pub name: ObjectName,
    /// Its namespace.
    pub namespace: NamespaceName,
    /// Whether it was made for the rehearsal, and goes with it.
    made: bool,
}

/// Waits for an HDFS that is whole, after whatever struck before, and for a kernel that can write to it.
pub async fn ready(scene: &Scene, hdfs: &Hdfs, writer: &mut Option<Writer>, fault: Fault) -> Result<(), String> {
    whole(scene, hdfs).await?;
    if matches!(fault, Fault::HdfsNode | Fault::NameNodeLink) && apart(scene, hdfs).await? {
        whole(scene, hdfs).await?;
    }
    if writer.is_none() {
        *writer = Some(Writer::open(scene, hdfs).await?);
    }
    Ok(())
}

async fn whole(scene: &Scene, hdfs: &Hdfs) -> Result<(), String> {
    match settled(scene, hdfs, PATIENCE).await {
        Took::Ms(_) => Ok(()),
        Took::Never(seen) => Err(format!("the HDFS was not whole before: {seen}")),
    }
}

/// Moves a NameNode away where both are on one node: a node's death brings all of its parts to those that are left, and they
/// do not go back by themselves. Says whether one was moved.
async fn apart(scene: &Scene, hdfs: &Hdfs) -> Result<bool, String> {
    let active = hdfs.active(scene).await?;
    let pods = hdfs.pods(scene, Some(NAME_NODE.part)).await?;
    let Some(other) = pods.iter().find(|pod| pod.name != active.name && pod.node == active.node) else {
        return Ok(false);
    };
    let pod = format!("/api/v1/namespaces/{}/pods/{}", hdfs.namespace, other.name);
    scene.stage.client().delete(&pod).await.map_err(|error| error.to_string())?;
    Ok(true)
}

impl Hdfs {
    /// The one there is, or a new one. Sessions know it by themselves only where there is no other.
    pub async fn find_or_make(dir: &YardDir, client: &Client, notebook: &NotebookSettings) -> Result<Self, Failure> {
        let (found, _) = client.list(&path(GROUP, VERSION, "", HDFS_CLUSTERS, ""), &[]).await.map_err(api)?;
        match found.as_slice() {
            [] => Self::make(dir, client, notebook).await,
            [one] => {
                let hdfs = Self::of(one).ok_or_else(|| Failure::Usage("the HDFS has no name".to_owned()))?;
                note(&format!("HDFS {} is struck; what is in it should be there afterwards", hdfs.name));
                Ok(hdfs)
            }
            several => Err(Failure::Usage(format!(
                "there are {} HDFS, and sessions would not know which one is meant: delete all but one, or name another \
                 folder with --dir",
                several.len()
            ))),
        }
    }

    fn of(cluster: &Value) -> Option<Self> {
        let name = ObjectName::new(cluster["metadata"]["name"].as_str()?).ok()?;
        let namespace = NamespaceName::new(cluster["metadata"]["namespace"].as_str()?).ok()?;
        // One that a rehearsal left behind which was killed is nobody's.
        let made = name.as_str() == NAME;
        Some(Self { name, namespace, made })
    }

    async fn make(dir: &YardDir, client: &Client, notebook: &NotebookSettings) -> Result<Self, Failure> {
        let name = ObjectName::new(NAME).map_err(|error| Failure::Usage(error.to_string()))?;
        let hdfs = Self { name, namespace: notebook.namespace.clone(), made: true };
        note(&format!("HDFS {NAME} is made for the rehearsal, and deleted after it"));
        let mebi = |number: i64| Some(Quantity::from_units(number << 20));
        let storage = HdfsStorage {
            storage_class: None,
            name_node: mebi(512),
            journal_node: mebi(512),
            zoo_keeper: mebi(256),
            data_node: mebi(4096),
        };
        let made = verb::ensure(dir, client, &hdfs.target(), &HdfsSpec { storage, ..HdfsSpec::default() }).await;
        match made {
            Ok(_) => Ok(hdfs),
            Err(failure) => {
                drop(hdfs.remove(client).await);
                Err(failure)
            }
        }
    }

    fn target(&self) -> HdfsTarget {
        HdfsTarget { name: self.name.clone(), namespace: self.namespace.clone() }
    }

    /// Deletes it with its volumes if it was made for the rehearsal, and waits until it is gone.
    pub async fn remove(&self, client: &Client) -> Result<(), Failure> {
        if !self.made {
            return Ok(());
        }
        verb::delete(client, &HdfsDelete { target: self.target(), volumes: true }).await?;
        let begun = Instant::now();
        loop {
            let left = self.left(client).await?;
            if left.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > GONE_WITHIN {
                return Err(Failure::Hdfs {
                    name: self.name.to_string(),
                    why: format!("{} are left", left.join(", ")),
                });
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// What there is of it in its namespace.
    async fn left(&self, client: &Client) -> Result<Vec<String>, Failure> {
        let mut left = Vec::new();
        for kind in ["pods", "persistentvolumeclaims", "configmaps", "services"] {
            let all = path("", "v1", self.namespace.as_str(), kind, "");
            let selector = format!("{HDFS_LABEL}={}", self.name);
            let (objects, _) = client.list(&all, &[("labelSelector", &selector)]).await.map_err(api)?;
            let names = objects.iter().filter_map(|object| object["metadata"]["name"].as_str());
            left.extend(names.map(|name| format!("{kind}/{name}")));
        }
        Ok(left)
    }
}
