//! Whom to strike, by the yard's own records and its API.

use super::Scene;
use crate::keeper::children::{Records, Role};
use crate::keeper::protocol::{Answer, Ask, NodePhase, NodeStatus, Status, ask};
use emberyard_model::NodeName;
use emberyard_sandbox::{PodSandbox, ProcessId};
use emberyard_sim::Strike;
use serde_json::Value;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// Executors and Python workers of a job that has just begun come within this.
const PATIENCE: Duration = Duration::from_secs(30);

/// A pod that runs, by the name that the API gives it and the sandbox that the node gives it.
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: NodeName,
    /// Its address.
    pub ip: Ipv4Addr,
    /// Its supervisor.
    pub sandbox: PodSandbox,
}

impl Scene {
    /// What the keeper knows.
    pub fn status(&self) -> Result<Status, String> {
        match ask(&self.dir.keeper_socket(), &Ask::Status, Duration::from_secs(5)) {
            Ok(Answer::Status(status)) => Ok(status),
            Ok(_) => Err("the keeper answered another question".to_owned()),
            Err(error) => Err(format!("the keeper does not answer: {error}")),
        }
    }

    /// Nodes that run.
    pub fn nodes(&self) -> Result<Vec<NodeStatus>, String> {
        let nodes = self.status()?.nodes;
        Ok(nodes.into_iter().filter(|node| node.phase == NodePhase::Running).collect())
    }

    /// The number of a node that runs.
    pub fn number(&self, name: &NodeName) -> Result<u8, String> {
        let nodes = self.nodes()?;
        nodes.iter().find(|node| node.name == *name).map(number).ok_or_else(|| format!("{name} does not run"))
    }

    /// A process that the keeper started.
    pub fn child(&self, role: &Role) -> Result<ProcessId, String> {
        Records::new(&self.dir.run()).adopt(role).ok_or_else(|| format!("{role} does not run"))
    }

    /// The notebook's pod; one that is being deleted is none.
    pub async fn notebook_pod(&self) -> Result<Found, String> {
        let pods = self.stage.list("pods", ("labelSelector", "emberyard.dev/notebook")).await;
        let pods = pods.map_err(|failure| failure.to_string())?;
        let wanted = format!("{}-0", self.stage.notebook().name);
        let stays = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
        let pod = pods.iter().filter(stays).find(|pod| pod["metadata"]["name"] == wanted.as_str());
        self.found(pod.ok_or("the notebook has no pod")?)
    }

    /// Executors that run, by name.
    pub async fn executors(&self) -> Result<Vec<Found>, String> {
        let pods = self.stage.list("pods", ("labelSelector", "spark-role=executor")).await;
        let mut pods = pods.map_err(|failure| failure.to_string())?;
        pods.retain(|pod| pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null());
        let mut found: Vec<Found> = pods.iter().filter_map(|pod| self.found(pod).ok()).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// A pod's sandbox, while it runs.
    pub fn found(&self, pod: &Value) -> Result<Found, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (name, uid) = (text(&pod["metadata"]["name"]), text(&pod["metadata"]["uid"]));
        let node = NodeName::new(text(&pod["spec"]["nodeName"])).map_err(|_| format!("{name} is on no node"))?;
        let ip = text(&pod["status"]["podIP"]).parse().map_err(|_| format!("{name} has no address"))?;
        let folder = self.dir.node(&node).join("pods").join(uid);
        let sandbox = PodSandbox::open(&folder).map_err(|error| error.to_string())?;
        Ok(Found { name, node, ip, sandbox })
    }

    /// The strike's executor, and its processes that `wanted` picks by their command lines: waits until there are some.
    pub async fn in_executor(
        &self,
        strike: &Strike,
        wanted: impl Fn(&[String]) -> bool,
    ) -> Result<(Found, Vec<ProcessId>), String> {
        let begun = Instant::now();
        loop {
            let mut executors = self.executors().await.unwrap_or_default();
            executors.retain(|executor| !executor.processes(&wanted).is_empty());
            if let Some(chosen) = strike.take(executors) {
                let processes = chosen.processes(&wanted);
                return Ok((chosen, processes));
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("no executor ran what was to be struck for {} s", PATIENCE.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Found {
    /// Its processes that `wanted` picks by their command lines.
    pub fn processes(&self, wanted: impl Fn(&[String]) -> bool) -> Vec<ProcessId> {
        let processes = self.sandbox.processes().unwrap_or_default();
        processes.into_iter().filter(|process| wanted(&command_line(process))).collect()
    }
}

/// A node's number: the last part of its address, from 10 on.
pub fn number(node: &NodeStatus) -> u8 {
    node.ip.octets()[3] - 10
}

fn command_line(process: &ProcessId) -> Vec<String> {
    let line = std::fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
    line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// Whether it is a Java machine.
pub fn is_java(line: &[String]) -> bool {
    line.first().is_some_and(|program| program == "java" || program.ends_with("/java"))
}

/// Whether it is a Python worker of an executor, or the process that makes them.
pub fn is_worker(line: &[String]) -> bool {
    line.iter().any(|word| word == "pyspark.daemon")
}

/// The parent of a process.
pub fn parent(process: &ProcessId) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.pid)).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines() {
        let line = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(is_java(&line("/usr/lib/jvm/bin/java -cp x org.apache.spark.deploy.SparkSubmit")));
        assert!(!is_java(&line("/opt/entrypoint.sh java")) && !is_java(&[]));
        assert!(is_worker(&line("python3 -m pyspark.daemon pyspark.worker")));
        assert!(!is_worker(&line("python3 -m ipykernel_launcher")));
    }

    #[test]
    fn a_parent_is_found() {
        let own = ProcessId::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert_eq!(parent(&own), rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get()));
    }
}
