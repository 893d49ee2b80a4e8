//! The task of one pod: a loop of deciding and hearing.

use super::adopt::{Adopted, CHECKPOINT_FORMAT, Checkpoint, OBJECT, OBSERVED};
use super::message::Message;
use super::volumes::Places;
use super::{act, sandbox, volumes};
use crate::agent::status::{Subject, Wanted, write};
use crate::agent::{Node, files};
use crate::kubelet::PodView;
use emberyard_image::Resolved;
use emberyard_pod::spec::Container;
use emberyard_pod::{Action, Event, Observed, Pod, PodError, Run, Sources, Stage, plan};
use emberyard_sandbox::{ContainerState, PodSandbox};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

/// How often files made from objects are looked at again.
const REFRESH: Duration = Duration::from_secs(5);

/// One pod of this node.
pub(in crate::agent) struct PodTask {
    pub(super) node: Arc<Node>,
    pub(super) pod: Pod,
    pub(super) object: Value,
    pub(super) observed: Observed,
    pub(super) dir: PathBuf,
    pub(super) sandbox: Option<PodSandbox>,
    pub(super) states: Arc<Vec<ContainerState>>,
    limits: Arc<BTreeMap<String, u64>>,
    pub(super) places: Places,
    pub(super) images: BTreeMap<String, Arc<Resolved>>,
    pub(super) sources: Arc<Mutex<Sources>>,
    pub(super) refreshing: Arc<AtomicBool>,
    pub(super) news: mpsc::UnboundedSender<Message>,
    inbox: mpsc::UnboundedReceiver<Message>,
    saved: Vec<u8>,
    pub(super) adopted: bool,
}

/// Memory limits of a pod's containers, bytes.
fn limits(pod: &Pod) -> BTreeMap<String, u64> {
    let limit = |c: &Container| Some((c.name.clone(), c.resources.limits.get("memory")?.units().unsigned_abs()));
    pod.all_containers().filter_map(limit).filter(|(_, bytes)| *bytes > 0).collect()
}

impl PodTask {
    /// A task for a pod, new or found.
    pub(in crate::agent) fn new(node: &Arc<Node>, object: &Value, adopted: Option<Adopted>) -> Result<Self, PodError> {
        let pod = Pod::read(object)?;
        let (news, inbox) = mpsc::unbounded_channel();
        let dir = node.pod_dir(&pod.metadata.uid);
        let is_adopted = adopted.is_some();
        let (observed, places) = adopted.map(|a| (a.observed, a.places)).unwrap_or_default();
        Ok(Self {
            node: node.clone(),
            object: object.clone(),
            observed,
            dir,
            sandbox: None,
            states: Arc::default(),
            limits: Arc::new(limits(&pod)),
            places,
            pod,
            images: BTreeMap::new(),
            sources: Arc::default(),
            refreshing: Arc::default(),
            news,
            inbox,
            saved: Vec::new(),
            adopted: is_adopted,
        })
    }

    /// Where its news goes.
    pub(in crate::agent) fn sender(&self) -> mpsc::UnboundedSender<Message> {
        self.news.clone()
    }

    /// Runs until the pod is over.
    pub(in crate::agent) async fn run(mut self) {
        let meta = &self.pod.metadata;
        let subject = Subject { namespace: meta.namespace.clone(), name: meta.name.clone(), uid: meta.uid.clone() };
        self.observed.host_ip = Some(self.node.config.number.node_ip());
        if self.adopted {
            self.resume();
        } else if let Err(error) = std::fs::create_dir_all(&self.dir) {
            tracing::error!(pod = %subject.name, %error, "the pod's folder cannot be made");
        }
        self.keep_object();
        let (wanted, reader) = watch::channel(Wanted::default());
        let done = Arc::new(Notify::new());
        let writer = tokio::spawn(write(self.node.clone(), subject, reader, done.clone()));
        // While no agent was there nothing was renewed, and containers that start anew read it now.
        let mut refresh = Instant::now() + if self.adopted { Duration::ZERO } else { REFRESH };
        loop {
            let (wake, finalize) = self.decide(&wanted);
            if finalize {
                if self.observed.object_gone {
                    break;
                }
                // Wait for the object to go, by our delete or another's.
                tokio::select! {
                    () = done.notified() => break,
                    () = self.until_gone() => break,
                }
            }
            let due = wake.map_or(refresh, |w| refresh.min(Instant::now() + w));
            tokio::select! {
                news = self.inbox.recv() => match news {
                    Some(news) => {
                        self.hear(news);
                        // What came at the same time is decided on at the same time.
                        while let Ok(news) = self.inbox.try_recv() {
                            self.hear(news);
                        }
                    }
                    None => break,
                },
                () = tokio::time::sleep_until(due) => {}
            }
            if Instant::now() >= refresh {
                refresh = Instant::now() + REFRESH;
                volumes::refresh(&self);
            }
        }
        writer.abort();
        self.clean_up().await;
    }

    async fn until_gone(&mut self) {
        while let Some(news) = self.inbox.recv().await {
            if matches!(news, Message::Gone) {
                return;
            }
        }
    }

    /// Finds the supervisor again, or notes that it is gone.
    fn resume(&mut self) {
        if self.observed.sandbox != Stage::Ready {
            return;
        }
        match PodSandbox::open(&self.dir) {
            Ok(found) if found.supervisor().is_alive() => {
                // A start that was decided but not begun is decided anew.
                let known = found.list().unwrap_or_default();
                let begun = |name: &str, attempt| known.iter().any(|s| s.name == name && s.attempt == attempt);
                let now = self.node.now();
                let undone: Vec<String> = self
                    .observed
                    .containers
                    .iter()
                    .filter(|(name, r)| r.run == Run::Starting && !begun(name, r.attempt()))
                    .map(|(name, _)| name.clone())
                    .collect();
                for name in undone {
                    self.observed.refused(&name, "ContainerCreating", "the agent was restarted".into(), now);
                }
                sandbox::follow(&found, &self.news);
                self.sandbox = Some(found);
            }
            _ => self.lost(),
        }
        if let Some(ip) = self.observed.pod_ip
            && !self.pod.spec.host_network
        {
            self.node.note_pod(ip, Some(&self.pod.metadata.namespace));
        }
    }

    /// The supervisor is gone: its last records count, then what still seemed to run.
    pub(super) fn lost(&mut self) {
        self.sandbox = None;
        if let Ok(states) = PodSandbox::recorded(&self.dir) {
            self.states(&states);
        }
        self.observed.sandbox_lost(self.node.now());
    }

    /// One decision, carried out. Returns the time to the next and whether all is done.
    fn decide(&mut self, wanted: &watch::Sender<Wanted>) -> (Option<Duration>, bool) {
        if self.observed.pod_ip.is_none() {
            self.observed.pod_ip = self.address();
        }
        let now = self.node.now();
        let decision = plan(&self.pod, &mut self.observed, now);
        for event in decision.events {
            self.node.events.pod(&self.pod, None, event);
        }
        self.save();
        let finalize = decision.actions.contains(&Action::Finalize);
        let status = decision.status;
        self.publish(&status);
        wanted.send_if_modified(|w| {
            let next = Wanted { status, finalize };
            let changed = *w != next;
            *w = next;
            changed
        });
        for action in decision.actions {
            act::start(self, action);
        }
        (decision.wake.map(|at| at.since(now).max(Duration::from_millis(1))), finalize)
    }

    fn address(&self) -> Option<Ipv4Addr> {
        if self.pod.spec.host_network {
            return Some(self.node.config.number.node_ip());
        }
        match self.node.ipam().assign(&self.pod.metadata.uid) {
            Ok(address) => Some(address),
            Err(error) => {
                self.tell(None, Event::warning("FailedCreatePodSandBox", error.to_string()));
                None
            }
        }
    }

    pub(super) fn tell(&self, container: Option<&str>, event: Event) {
        self.node.events.pod(&self.pod, container, event);
    }

    pub(super) fn keep_object(&self) {
        if let Err(error) = files::save(&self.dir.join(OBJECT), &self.object) {
            tracing::error!(pod = %self.pod.metadata.name, %error, "checkpoint not written");
        }
    }

    /// Writes the checkpoint if it changed: before what was decided is begun.
    fn save(&mut self) {
        let checkpoint = Checkpoint { format: CHECKPOINT_FORMAT, observed: Cow::Borrowed(&self.observed) };
        let Ok(bytes) = serde_json::to_vec(&checkpoint) else { return };
        if bytes != self.saved {
            match files::replace(&self.dir.join(OBSERVED), &bytes, 0o600) {
                Ok(()) => self.saved = bytes,
                Err(error) => tracing::error!(pod = %self.pod.metadata.name, %error, "checkpoint not written"),
            }
        }
    }

    /// Shows the pod to the kubelet port.
    fn publish(&self, status: &Value) {
        let mut object = self.object.clone();
        object["status"] = status.clone();
        self.node.registry.put(PodView {
            uid: self.pod.metadata.uid.clone(),
            dir: self.dir.clone(),
            object: Arc::new(object),
            sandbox: self.sandbox.clone(),
            states: self.states.clone(),
            limits: self.limits.clone(),
            news: self.news.clone(),
        });
    }

    async fn clean_up(mut self) {
        let uid = self.pod.metadata.uid.clone();
        self.node.registry.remove(&uid);
        if let Some(ip) = self.observed.pod_ip.take()
            && !self.pod.spec.host_network
        {
            sandbox::release_address(&self.node, &uid, ip).await;
        }
        let dir = self.dir.clone();
        let removed = tokio::task::spawn_blocking(move || emberyard_sandbox::remove_tree(&dir)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%uid, %error, "a pod's folder is left behind");
        }
    }
}
