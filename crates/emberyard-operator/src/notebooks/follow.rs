//! The loop: watches fill two indexes, what they touch is reconciled, one notebook at a time.

use super::decide::decide;
use super::observe::{Observed, Spark, score};
use super::{apply, reap, status};
use crate::config::OperatorConfig;
use crate::hdfs::Found;
use crate::index::{Index, arrived};
use crate::view::{Key, label, owner_pod};
use crate::write;
use emberyard_client::{ApiError, WatchEvent, path};
use emberyard_manifest::{InvalidNotebook, Names, SPARK_APP_LABEL, SessionSettings, validate};
use emberyard_model::notebook::{GROUP, NOTEBOOK_LABEL, NOTEBOOKS, VERSION};
use emberyard_model::{NotebookStatus, SessionStatus, Timestamp};
use emberyard_plan::session::Outlook;
use futures::StreamExt;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What failed is tried again, and what may have been changed by others is written again, at this pace.
const TICK: Duration = Duration::from_secs(1);
/// Objects that nobody touched are written again after this long, in case somebody changed them.
const REFRESH: Duration = Duration::from_mins(1);

struct Loop {
    config: OperatorConfig,
    notebooks: Index,
    pods: Index,
    /// Those of Spark applications.
    config_maps: Index,
    dirty: BTreeSet<Key>,
    /// What was written last for each notebook, and when.
    written: BTreeMap<Key, (Vec<Value>, Timestamp)>,
    /// What was found last of each notebook's Spark sessions.
    sessions: BTreeMap<Key, Vec<SessionStatus>>,
    reaper: reap::Reaper,
    outlook: watch::Receiver<Arc<Outlook>>,
    hdfs: Found,
}

/// Follows notebooks until shutdown; writes only while it leads.
pub async fn run(
    config: OperatorConfig,
    mut leading: watch::Receiver<bool>,
    outlook: watch::Receiver<Arc<Outlook>>,
    mut hdfs: watch::Receiver<Found>,
) {
    let mut notebooks = config.client.watch(&path(GROUP, VERSION, "", NOTEBOOKS, ""), &[]);
    let mut pods = config.client.watch("/api/v1/pods", &[]);
    let mut config_maps = config.client.watch("/api/v1/configmaps", &[("labelSelector", SPARK_APP_LABEL)]);
    let shutdown = config.shutdown.clone();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut state = Loop {
        config,
        notebooks: Index::default(),
        pods: Index::default(),
        config_maps: Index::default(),
        dirty: BTreeSet::new(),
        written: BTreeMap::new(),
        sessions: BTreeMap::new(),
        reaper: reap::Reaper::default(),
        outlook: outlook.clone(),
        hdfs: Found::default(),
    };
    let mut news = outlook;
    let mut ticked = false;
    loop {
        tokio::select! {
            Some(event) = notebooks.next() => state.notebook_event(event),
            Some(event) = pods.next() => state.pod_event(event),
            Some(event) = config_maps.next() => state.config_map_event(event),
            _ = ticks.tick() => ticked = true,
            Ok(()) = leading.changed() => state.all_dirty(),
            Ok(()) = news.changed() => state.waiting_dirty(),
            Ok(()) = hdfs.changed() => state.hdfs_found(&hdfs.borrow_and_update()),
            () = shutdown.cancelled() => return,
        }
        arrived(&mut pods).for_each(|event| state.pod_event(event));
        if !*leading.borrow() || !state.notebooks.synced() || !state.pods.synced() {
            continue;
        }
        if std::mem::take(&mut ticked) {
            state.tick().await;
        }
        for key in std::mem::take(&mut state.dirty) {
            if let Err(error) = state.reconcile(&key).await {
                tracing::warn!(notebook = %key, %error, "not reconciled yet");
                state.written.remove(&key); // tried again with the next tick
            }
        }
    }
}

impl Loop {
    fn notebook_event(&mut self, event: WatchEvent) {
        self.dirty.extend(self.notebooks.apply(event).into_iter().map(|(key, _)| key));
    }

    /// The pod that owns an object, if it is there.
    fn owner(&self, key: &Key, object: &Value) -> Option<&Value> {
        self.pods.get(&Key::new(&*key.namespace, owner_pod(object)?))
    }

    /// A pod is its notebook's own, or an executor that its notebook's pod owns.
    fn pod_event(&mut self, event: WatchEvent) {
        for (key, before) in self.pods.apply(event) {
            let Some(pod) = self.pods.get(&key).or(before.as_ref()) else { continue };
            if let Some(notebook) = label(self.owner(&key, pod).unwrap_or(pod), NOTEBOOK_LABEL) {
                self.dirty.insert(Key::new(key.namespace, notebook));
            }
        }
    }

    /// Drivers make ConfigMaps for their applications, and kernels note on them how local these were.
    fn config_map_event(&mut self, event: WatchEvent) {
        for (key, _) in self.config_maps.apply(event) {
            let Some(map) = self.config_maps.get(&key).filter(|map| score(map).is_some()) else { continue };
            if let Some(notebook) = self.owner(&key, map).and_then(|owner| label(owner, NOTEBOOK_LABEL)) {
                self.dirty.insert(Key::new(key.namespace, notebook));
            }
        }
    }

    /// The fleet has something new to say to those who wait.
    fn waiting_dirty(&mut self) {
        let waits = |notebook: &&Value| {
            let sessions = notebook["status"]["sessions"].as_array().into_iter().flatten();
            sessions.into_iter().any(|session| session["waiting"].is_array())
        };
        self.dirty.extend(self.notebooks.values().filter(waits).map(Key::of));
    }

    /// What sessions are told of HDFS has changed.
    fn hdfs_found(&mut self, found: &Found) {
        self.hdfs.clone_from(found);
        self.all_dirty();
    }

    fn all_dirty(&mut self) {
        self.dirty.extend(self.notebooks.keys().cloned());
    }

    async fn tick(&mut self) {
        let now = (self.config.clock)();
        for key in self.notebooks.keys() {
            if self.written.get(key).is_none_or(|(_, when)| now.since(*when) >= REFRESH) {
                self.dirty.insert(key.clone());
            }
        }
        // Sessions without a pod are forgotten by the clock; no event says so.
        let is_remembered = |session: &SessionStatus| session.running == 0 && session.waiting.is_empty();
        let remembered = self.sessions.iter().filter(|(_, sessions)| sessions.iter().any(is_remembered));
        self.dirty.extend(remembered.map(|(key, _)| key.clone()));
        self.reaper.step(&self.config.client, &self.pods, &self.config_maps, now).await;
    }

    /// observe -> validate -> decide -> apply -> status.
    async fn reconcile(&mut self, key: &Key) -> Result<(), ApiError> {
        let Some(notebook) = self.notebooks.get(key) else {
            self.written.remove(key);
            self.sessions.remove(key);
            return Ok(());
        };
        let pod_name = Names(&key.name).pod();
        let pod = self.pods.get(&Key::new(&*key.namespace, &*pod_name));
        let of_this = |object: &&Value| {
            owner_pod(object) == Some(&pod_name) && object["metadata"]["namespace"] == key.namespace.as_str()
        };
        let outlook = self.outlook.borrow().clone();
        let now = (self.config.clock)();
        let spark = Spark {
            executors: self.pods.values().filter(of_this).collect(),
            scores: self.config_maps.values().filter(of_this).filter_map(score).collect(),
            outlook: &outlook,
            before: self.sessions.get(key).map(Vec::as_slice),
            now,
        };
        let Some(observed) = Observed::new(notebook, pod, &spark) else { return Ok(()) };
        self.sessions.insert(key.clone(), observed.sessions.clone());
        let spec = observed.spec.clone().map_err(InvalidNotebook::Form);
        let hdfs = self.hdfs.settings(&key.namespace);
        let settings = SessionSettings { hdfs, ..self.config.session.clone() };
        let session = match spec.and_then(|spec| validate(observed.identity.clone(), spec, &settings)) {
            Ok(session) => session,
            Err(error) => {
                self.written.insert(key.clone(), (Vec::new(), now));
                return self.say(&observed, &status::of_invalid(&error, &observed, now)).await;
            }
        };
        let decision = decide(&session, &observed);
        let known = self.written.get(key);
        if known.is_none_or(|(objects, when)| *objects != decision.apply || now.since(*when) >= REFRESH) {
            apply::surroundings(&self.config, &session, &decision).await?;
            self.written.insert(key.clone(), (decision.apply.clone(), now));
        }
        let _applied = apply::pod(&self.config.client, &session, &decision.pod).await?;
        self.say(&observed, &status::of_session(&session, &observed, now)).await
    }

    /// Writes the status where it differs.
    async fn say(&self, observed: &Observed, status: &NotebookStatus) -> Result<(), ApiError> {
        if observed.status == *status {
            return Ok(());
        }
        let identity = &observed.identity;
        let path = path(GROUP, VERSION, &identity.namespace, NOTEBOOKS, &identity.name);
        write::status(&self.config.client, &path, &json!(status)).await
    }
}
