//! The pods of this node, as the kubelet port sees them.

use crate::agent::Message;
use emberyard_sandbox::{ContainerState, PodSandbox};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::mpsc::UnboundedSender;

/// One pod at this moment.
#[derive(Clone)]
pub(crate) struct PodView {
    pub uid: String,
    pub dir: PathBuf,
    pub object: Arc<Value>,
    pub sandbox: Option<PodSandbox>,
    /// As the supervisor last told them.
    pub states: Arc<Vec<ContainerState>>,
    /// Memory limits of containers that have one, bytes.
    pub limits: Arc<BTreeMap<String, u64>>,
    pub news: UnboundedSender<Message>,
}

/// All pods by uid.
#[derive(Clone, Default)]
pub(crate) struct Registry(Arc<RwLock<BTreeMap<String, PodView>>>);

impl Registry {
    /// Shows a pod as it is now.
    pub(crate) fn put(&self, pod: PodView) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(pod.uid.clone(), pod);
    }

    /// Shows it no more.
    pub(crate) fn remove(&self, uid: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }

    /// Tells a pod's task something.
    pub(crate) fn tell(&self, uid: &str, news: Message) {
        if let Some(pod) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(uid) {
            let _ = pod.news.send(news);
        }
    }

    /// The pod of that uid.
    pub(super) fn get(&self, uid: &str) -> Option<PodView> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(uid).cloned()
    }

    /// The pod of that name; of several (one ending, one new) the one that is not ending.
    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<PodView> {
        let pods = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let same = |p: &&PodView| {
            let meta = &p.object["metadata"];
            meta["namespace"] == namespace && meta["name"] == name
        };
        pods.values().filter(same).min_by_key(|p| p.object["metadata"]["deletionTimestamp"].is_string()).cloned()
    }

    /// All pods.
    pub(crate) fn all(&self) -> Vec<PodView> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

impl PodView {
    /// The status of a container, init or not.
    pub(super) fn status_of(&self, container: &str) -> Option<&Value> {
        let lists = ["containerStatuses", "initContainerStatuses"];
        let statuses = lists.into_iter().filter_map(|l| self.object["status"][l].as_array()).flatten();
        statuses.into_iter().find(|s| s["name"] == container)
    }
}
