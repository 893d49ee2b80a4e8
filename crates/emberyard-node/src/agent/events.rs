//! Events: told once, counted when they repeat.

use crate::config::{AgentConfig, Clock};
use crate::tasks::Tasks;
use emberyard_client::{ApiError, Client, ContentKind, path};
use emberyard_pod::{Event, Pod};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;

/// Events remembered for counting.
const MOST: usize = 1024;
/// Events waiting while the API server is away; later ones are dropped, the log has them.
const QUEUE: usize = 512;
/// How often, and with what pauses, one is offered to a server that can't take it now: two minutes, as client-go does
/// (`maxTriesPerEvent` times `defaultSleepDuration`), but more often.
const TRIES: usize = 120;
const PAUSE: Duration = Duration::from_secs(1);

/// Where events go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Events(mpsc::Sender<(Value, Event)>);

impl Events {
    /// Tells something about a pod or one of its containers.
    pub(crate) fn pod(&self, pod: &Pod, container: Option<&str>, event: Event) {
        let mut about = json!({"apiVersion": "v1", "kind": "Pod", "namespace": pod.metadata.namespace,
            "name": pod.metadata.name, "uid": pod.metadata.uid});
        if let Some(container) = container {
            let init = pod.spec.init_containers.iter().any(|c| c.name == container);
            let list = if init { "initContainers" } else { "containers" };
            about["fieldPath"] = json!(format!("spec.{list}{{{container}}}"));
        }
        self.send(about, event);
    }

    /// Tells something about the node.
    pub(crate) fn node(&self, name: &str, event: Event) {
        self.send(json!({"apiVersion": "v1", "kind": "Node", "name": name, "uid": name}), event);
    }

    fn send(&self, about: Value, event: Event) {
        tracing::info!(object = %about["name"], reason = event.reason, message = %event.message, "event");
        let _ = self.0.try_send((about, event));
    }
}

struct Told {
    path: String,
    count: u64,
}

struct Writer {
    client: Client,
    host: String,
    clock: Clock,
    told: BTreeMap<String, Told>,
    number: u64,
}

/// Starts the writer.
pub(super) fn start(config: &AgentConfig, client: Client, tasks: &Tasks) -> Events {
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let host = config.node_name.to_string();
    let mut writer = Writer { client, host, clock: config.clock.clone(), told: BTreeMap::new(), number: 0 };
    tasks.spawn(async move {
        while let Some((about, event)) = receiver.recv().await {
            writer.write(&about, &event).await;
        }
    });
    Events(sender)
}

impl Writer {
    async fn write(&mut self, about: &Value, event: &Event) {
        let key = format!("{about}/{}/{}", event.reason, event.message);
        let now = (self.clock)();
        if let Some(told) = self.told.get_mut(&key) {
            told.count += 1;
            let patch = json!({"count": told.count, "lastTimestamp": now.rfc3339()});
            match self.client.patch(&told.path, &patch, ContentKind::StrategicMergePatch).await {
                Err(error) if error.is_not_found() => self.told.remove(&key),
                _ => return,
            };
        }
        self.number += 1;
        let namespace = about["namespace"].as_str().unwrap_or("default");
        let subject = about["name"].as_str().unwrap_or_default();
        let name = format!("{subject}.{:x}{:02x}", now.0, self.number % 256);
        let object = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": about, "reason": event.reason, "message": event.message,
            "type": if event.warning { "Warning" } else { "Normal" },
            "source": {"component": "kubelet", "host": self.host},
            "reportingComponent": "kubelet", "reportingInstance": self.host,
            "firstTimestamp": now.rfc3339(), "lastTimestamp": now.rfc3339(), "count": 1,
        });
        let collection = path("", "v1", namespace, "events", "");
        match self.offer(&collection, &object).await {
            Ok(_) => {
                if self.told.len() >= MOST {
                    self.told.clear();
                }
                self.told.insert(key, Told { path: format!("{collection}/{name}"), count: 1 });
            }
            Err(error) => tracing::debug!(%error, "an event was not accepted"),
        }
    }

    async fn offer(&self, collection: &str, object: &Value) -> Result<Value, ApiError> {
        for _ in 1..TRIES {
            match self.client.create(collection, object).await {
                Err(error) if error.is_passing() => tokio::time::sleep(PAUSE).await,
                answer => return answer,
            }
        }
        self.client.create(collection, object).await
    }
}
