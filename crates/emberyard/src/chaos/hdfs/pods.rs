//! The pods of an HDFS, and the processes in them.

use super::Hdfs;
use crate::chaos::Scene;
use crate::chaos::find::{Found, is_java};
use emberyard_model::hdfs::{COMPONENT_LABEL, HDFS_LABEL, NAME_NODE_WEB_PORT};
use emberyard_sandbox::ProcessId;
use serde_json::Value;
use std::time::Duration;

/// What a NameNode does not say within this it does not say.
const PATIENCE: Duration = Duration::from_secs(3);

/// A kind of server, by the names that Kubernetes and Java have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// The label [`COMPONENT_LABEL`] of its pods.
    pub part: &'static str,
    /// The end of its main class.
    class: &'static str,
}

pub const NAME_NODE: Server = Server { part: "namenode", class: ".NameNode" };
pub const ZKFC: Server = Server { part: "namenode", class: ".DFSZKFailoverController" };
pub const JOURNAL_NODE: Server = Server { part: "journalnode", class: ".JournalNode" };
pub const ZOO_KEEPER: Server = Server { part: "zookeeper", class: ".QuorumPeerMain" };
pub const DATA_NODE: Server = Server { part: "datanode", class: ".DataNode" };

impl Server {
    fn is(self, line: &[String]) -> bool {
        is_java(line) && line.iter().any(|word| word.ends_with(self.class))
    }

    /// Its Java machines in a pod: one, unless it is being started.
    pub fn processes(self, pod: &Found) -> Vec<ProcessId> {
        pod.processes(|line| self.is(line))
    }
}

impl Hdfs {
    /// Its pods' objects, of a part or of all.
    pub async fn objects(&self, scene: &Scene, part: Option<&str>) -> Result<Vec<Value>, String> {
        let mut selector = format!("{HDFS_LABEL}={}", self.name);
        if let Some(part) = part {
            selector = format!("{selector},{COMPONENT_LABEL}={part}");
        }
        let pods = format!("/api/v1/namespaces/{}/pods", self.namespace);
        let listed = scene.stage.client().list(&pods, &[("labelSelector", &selector)]).await;
        listed.map(|(pods, _)| pods).map_err(|error| error.to_string())
    }

    /// Its pods that run, by name.
    pub async fn pods(&self, scene: &Scene, part: Option<&str>) -> Result<Vec<Found>, String> {
        let objects = self.objects(scene, part).await?;
        let stay = objects.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        let mut found: Vec<Found> = stay.filter_map(|pod| scene.found(pod).ok()).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// What a NameNode says of itself: the bean of this name.
    pub async fn bean(&self, scene: &Scene, pod: &str, name: &str) -> Result<Value, String> {
        let path = format!("/api/v1/namespaces/{}/pods/{pod}:{NAME_NODE_WEB_PORT}/proxy/jmx", self.namespace);
        let bean = format!("Hadoop:service=NameNode,name={name}");
        let query = [("qry", bean.as_str())];
        let answer = tokio::time::timeout(PATIENCE, scene.stage.client().get(&path, &query)).await;
        let page = answer.map_err(|_| format!("{pod} does not answer"))?.map_err(|error| format!("{pod}: {error}"))?;
        Ok(page["beans"][0].clone())
    }

    /// The state of a NameNode: `active`, `standby`; none while it has none.
    pub async fn state(&self, scene: &Scene, pod: &str) -> Option<String> {
        let status = self.bean(scene, pod, "NameNodeStatus").await.ok()?;
        status["State"].as_str().map(str::to_owned)
    }

    /// The pod of the active NameNode.
    pub async fn active(&self, scene: &Scene) -> Result<Found, String> {
        for pod in self.pods(scene, Some(NAME_NODE.part)).await? {
            if self.state(scene, &pod.name).await.as_deref() == Some("active") {
                return Ok(pod);
            }
        }
        Err("no NameNode is active".to_owned())
    }
}

/// Whether a process has a block open that is being written.
pub fn receives(process: &ProcessId) -> bool {
    let open = std::fs::read_dir(format!("/proc/{}/fd", process.pid)).into_iter().flatten().flatten();
    open.filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .any(|file| file.to_string_lossy().contains("/current/rbw/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_by_their_main_class() {
        let line = |class: &str| vec!["/usr/lib/jvm/bin/java".to_owned(), "-Xmx96m".to_owned(), class.to_owned()];
        let name_node = line("org.apache.hadoop.hdfs.server.namenode.NameNode");
        let controller = line("org.apache.hadoop.hdfs.tools.DFSZKFailoverController");
        assert!(NAME_NODE.is(&name_node) && !ZKFC.is(&name_node));
        assert!(ZKFC.is(&controller) && !NAME_NODE.is(&controller));
        assert!(!DATA_NODE.is(&["bash".to_owned(), "x.DataNode".to_owned()]));
    }
}
