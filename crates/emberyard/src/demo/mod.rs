//! The tutorial's parts as scripts: what is typed, what must be seen.

pub mod hdfs;
pub mod scale;
mod steps;
pub mod tutorial;

pub use steps::Played;

use crate::api::api;
use crate::error::Failure;
use crate::session;
use crate::yard::NotebookSettings;
use emberyard_client::Client;
use emberyard_front::kernel::{Event, Jupyter, Kernel, RunError};
use emberyard_object::view::NodeView;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Objects of Spark applications.
pub const SPARK: (&str, &str) = ("labelSelector", "spark-app-selector");

/// The tutorial's cell, as its reader types it, with so many executors.
pub fn context(executors: u32) -> String {
    let instances = |count: u32| format!("\"spark.executor.instances\", \"{count}\"");
    include_str!("context.py").replace(&instances(2), &instances(executors))
}

/// Where a demo plays.
pub struct Stage {
    client: Client,
    notebook: NotebookSettings,
}

impl Stage {
    /// On a running yard.
    pub fn new(client: Client, notebook: NotebookSettings) -> Self {
        Self { client, notebook }
    }

    /// The notebook.
    pub fn notebook(&self) -> &NotebookSettings {
        &self.notebook
    }

    /// The API as its administrator has it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The notebook's link, with its token.
    pub async fn link(&self) -> Result<String, Failure> {
        let path = session::path(self.notebook.namespace.as_str(), self.notebook.name.as_str());
        let object = self.client.get(&path, &[]).await.map_err(api)?;
        session::link(&self.client, &object).await?.ok_or_else(|| self.failed("it has no link".to_owned()))
    }

    /// A kernel of the notebook.
    pub async fn kernel(&self) -> Result<Kernel, Failure> {
        let jupyter = Jupyter::from_link(&self.link().await?).map_err(|error| self.failed(error.to_string()))?;
        let name = format!("demo-{:016x}", crate::machine::random());
        Kernel::open(&jupyter, &name).await.map_err(|error| self.failed(error.to_string()))
    }

    fn failed(&self, why: String) -> Failure {
        Failure::Notebook { name: self.notebook.name.to_string(), why }
    }

    /// Runs a cell; what it printed, and what its last expression gave. News of the session are shown beside that.
    pub async fn cell(&self, kernel: &mut Kernel, step: &str, code: &str) -> Result<String, Failure> {
        let ran = Self::printed(kernel, code).await;
        ran.map_err(|error| Failure::Demo { step: step.to_owned(), why: error.to_string() })
    }

    /// What a cell prints.
    pub async fn printed(kernel: &mut Kernel, code: &str) -> Result<String, RunError> {
        let mut printed = String::new();
        let mut tell = |event: Event| match event {
            Event::Stream { error: false, text } | Event::Result(text) => {
                let _ = write!(printed, "{text}"); // writing to a String can't fail
            }
            _ => {}
        };
        kernel.execute(code, &mut tell).await?;
        Ok(printed)
    }

    /// Objects of a kind in the notebook's namespace.
    pub async fn list(&self, kind: &str, selector: (&str, &str)) -> Result<Vec<Value>, Failure> {
        let path = format!("/api/v1/namespaces/{}/{kind}", self.notebook.namespace);
        Ok(self.client.list(&path, &[selector]).await.map_err(api)?.0)
    }

    /// All pods of the yard.
    pub async fn pods(&self) -> Result<Vec<Value>, Failure> {
        Ok(self.client.list("/api/v1/pods", &[]).await.map_err(api)?.0)
    }

    /// Deletes a pod in the notebook's namespace.
    pub async fn delete_pod(&self, name: &str) -> Result<(), Failure> {
        self.client.delete(&format!("/api/v1/namespaces/{}/pods/{name}", self.notebook.namespace)).await.map_err(api)
    }

    /// Names of the nodes that are ready.
    pub async fn ready_nodes(&self) -> Result<Vec<String>, Failure> {
        let (nodes, _) = self.client.list("/api/v1/nodes", &[]).await.map_err(api)?;
        let ready = nodes.iter().filter(|node| NodeView(node).is_ready());
        Ok(ready.filter_map(|node| node["metadata"]["name"].as_str().map(str::to_owned)).collect())
    }

    /// The log of a pod.
    pub async fn log(&self, pod: &str) -> Result<String, Failure> {
        let path = format!("/api/v1/namespaces/{}/pods/{pod}/log", self.notebook.namespace);
        let bytes = self.client.get_bytes(&path, &[]).await.map_err(api)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Executors that run: pod and node.
    pub async fn executors(&self) -> Result<Vec<(String, String)>, Failure> {
        let pods = self.list("pods", ("labelSelector", "spark-role=executor")).await?;
        let running = pods.iter().filter(|pod| pod["status"]["phase"] == "Running");
        let named = running.filter_map(|pod| {
            Some((pod["metadata"]["name"].as_str()?.to_owned(), pod["spec"]["nodeName"].as_str()?.to_owned()))
        });
        Ok(named.collect())
    }

    /// What there is of Spark applications.
    pub async fn left(&self) -> Result<Vec<String>, Failure> {
        let mut left = Vec::new();
        for kind in ["pods", "configmaps", "services", "persistentvolumeclaims"] {
            let objects = self.list(kind, SPARK).await?;
            let names = objects.iter().filter_map(|object| object["metadata"]["name"].as_str());
            left.extend(names.map(|name| format!("{kind}/{name}")));
        }
        Ok(left)
    }

    /// Waits until nothing of any Spark application is left.
    pub async fn nothing_left(&self, step: &str, patience: Duration) -> Result<(), Failure> {
        let start = Instant::now();
        loop {
            let left = self.left().await?;
            if left.is_empty() {
                return Ok(());
            }
            if start.elapsed() > patience {
                return Err(Failure::Demo { step: step.to_owned(), why: format!("still there: {}", left.join(", ")) });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// What was expected and what came.
pub fn check(step: &str, holds: bool, why: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::Demo { step: step.to_owned(), why: why() }) }
}
