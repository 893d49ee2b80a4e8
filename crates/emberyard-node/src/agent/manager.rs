//! Which pods this node runs: those found from an earlier agent, and those bound to it.

use super::Node;
use super::pod::{self, Adopted, Message, PodTask};
use emberyard_client::WatchEvent;
use futures::StreamExt;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::mpsc;

struct Manager {
    node: Arc<Node>,
    pods: BTreeMap<String, mpsc::UnboundedSender<Message>>,
    /// Pods that are over here, until their objects are gone.
    over: BTreeSet<String>,
    ended: mpsc::UnboundedSender<String>,
}

/// Runs for ever.
pub(super) async fn run(node: Arc<Node>) {
    let (ended, mut endings) = mpsc::unbounded_channel();
    let mut manager = Manager { node: node.clone(), pods: BTreeMap::new(), over: BTreeSet::new(), ended };
    for adopted in pod::find(&node) {
        manager.adopt(adopted);
    }
    let selector = format!("spec.nodeName={}", node.name());
    let mut events = node.client.watch("/api/v1/pods", &[("fieldSelector", &selector)]);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => manager.hear(event),
                None => return,
            },
            Some(uid) = endings.recv() => {
                manager.pods.remove(&uid);
                manager.over.insert(uid);
            }
        }
    }
}

fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

impl Manager {
    fn hear(&mut self, event: WatchEvent) {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => self.update(object),
            WatchEvent::Deleted(object) => self.gone(uid(&object)),
            WatchEvent::Restarted(objects) => {
                let there: BTreeSet<String> = objects.iter().map(|o| uid(o).to_owned()).collect();
                let missing: Vec<String> = self.pods.keys().filter(|u| !there.contains(*u)).cloned().collect();
                for uid in &missing {
                    self.gone(uid);
                }
                self.over.retain(|uid| there.contains(uid));
                for object in objects {
                    self.update(object);
                }
            }
            WatchEvent::Bookmark(_) => {}
        }
    }

    fn gone(&mut self, uid: &str) {
        self.over.remove(uid);
        if let Some(pod) = self.pods.get(uid) {
            let _ = pod.send(Message::Gone);
        }
    }

    fn update(&mut self, object: Value) {
        let uid = uid(&object).to_owned();
        if self.over.contains(&uid) {
            return;
        }
        match self.pods.get(&uid) {
            Some(pod) => _ = pod.send(Message::Object(Box::new(object))),
            None => match PodTask::new(&self.node, &object, None) {
                Ok(task) => self.start(uid, task),
                Err(error) => tracing::error!(%uid, %error, "a pod cannot be taken"),
            },
        }
    }

    fn adopt(&mut self, adopted: Adopted) {
        let uid = uid(&adopted.object).to_owned();
        let object = adopted.object.clone();
        match PodTask::new(&self.node, &object, Some(adopted)) {
            Ok(task) => self.start(uid, task),
            Err(error) => tracing::error!(%uid, %error, "a pod found here cannot be adopted"),
        }
    }

    fn start(&mut self, uid: String, task: PodTask) {
        self.pods.insert(uid.clone(), task.sender());
        let ended = self.ended.clone();
        self.node.tasks.spawn(async move {
            task.run().await;
            let _ = ended.send(uid);
        });
    }
}
