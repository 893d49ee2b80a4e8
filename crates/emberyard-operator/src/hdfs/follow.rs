//! The loop: watches fill two indexes, what they touch is looked at, one HDFS at a time.

use super::nodes::Nodes;
use super::roll::Generations;
use super::sessions::Found;
use super::{canary, name_node, removal, roll, room, status};
use crate::config::OperatorConfig;
use crate::index::{Index, arrived};
use crate::run::FIELD_MANAGER;
use crate::view::{Key, is_leaving, label};
use crate::write::{self, create_once, of};
use emberyard_client::{ApiError, WatchEvent, path};
use emberyard_manifest::hdfs::{
    Plan, build, excluded, formatted, is_data_node, keeps_volumes, network_policy, validate, zones,
};
use emberyard_manifest::{Identity, InvalidHdfs};
use emberyard_model::hdfs::{HDFS_CLUSTERS, HDFS_LABEL};
use emberyard_model::notebook::{GROUP, VERSION};
use emberyard_model::{HdfsSpec, HdfsStatus, Timestamp};
use emberyard_plan::hdfs::{self as removals, SafeSince};
use futures::StreamExt;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;

/// Which NameNode is active is asked at this pace; what failed is tried again.
const TICK: Duration = Duration::from_secs(2);
/// Objects that nobody touched are written again after this long, in case somebody changed them.
const REFRESH: Duration = Duration::from_mins(1);

struct Loop {
    config: OperatorConfig,
    clusters: Index,
    pods: Index,
    sets: Index,
    nodes: Nodes,
    dirty: BTreeSet<Key>,
    written: BTreeMap<Key, Written>,
    /// Which pods of an HDFS's DataNodes could go at the last looks.
    safe_since: BTreeMap<Key, SafeSince>,
    tell: watch::Sender<Found>,
}

/// What was last written for an HDFS.
struct Written {
    objects: Vec<Value>,
    when: Timestamp,
    generations: Generations,
    /// DataNodes that were kept.
    kept: u32,
}

/// Follows HdfsClusters until shutdown; writes only while it leads.
pub async fn run(config: OperatorConfig, mut leading: watch::Receiver<bool>, tell: watch::Sender<Found>) {
    let mut clusters = config.client.watch(&path(GROUP, VERSION, "", HDFS_CLUSTERS, ""), &[]);
    let mut pods = config.client.watch("/api/v1/pods", &[("labelSelector", HDFS_LABEL)]);
    let mut sets = config.client.watch("/apis/apps/v1/statefulsets", &[("labelSelector", HDFS_LABEL)]);
    let mut nodes = config.client.watch("/api/v1/nodes", &[]);
    let shutdown = config.shutdown.clone();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut state = Loop {
        config,
        clusters: Index::default(),
        pods: Index::default(),
        sets: Index::default(),
        nodes: Nodes::default(),
        dirty: BTreeSet::new(),
        written: BTreeMap::new(),
        safe_since: BTreeMap::new(),
        tell,
    };
    loop {
        tokio::select! {
            Some(event) = clusters.next() => state.cluster_event(event),
            Some(event) = pods.next() => state.touched(|state| &mut state.pods, event),
            Some(event) = sets.next() => state.touched(|state| &mut state.sets, event),
            Some(event) = nodes.next() => state.nodes.apply(event),
            _ = ticks.tick() => state.all_dirty(),
            Ok(()) = leading.changed() => state.all_dirty(),
            () = shutdown.cancelled() => return,
        }
        // What has come meanwhile is taken in first: a look at an HDFS takes as long as its NameNodes take to answer.
        arrived(&mut clusters).for_each(|event| state.cluster_event(event));
        arrived(&mut pods).for_each(|event| state.touched(|state| &mut state.pods, event));
        arrived(&mut sets).for_each(|event| state.touched(|state| &mut state.sets, event));
        arrived(&mut nodes).for_each(|event| state.nodes.apply(event));
        let synced = state.clusters.synced() && state.pods.synced() && state.sets.synced() && state.nodes.synced();
        if !*leading.borrow() || !synced {
            continue;
        }
        if state.nodes.look(state.pods.values()) {
            state.all_dirty();
        }
        let dirty = std::mem::take(&mut state.dirty);
        if !dirty.is_empty() {
            state.tell_sessions();
        }
        for key in dirty {
            if let Err(error) = state.reconcile(&key).await {
                tracing::warn!(hdfs = %key, %error, "not reconciled yet");
                state.written.remove(&key); // tried again with the next tick
            }
        }
    }
}

impl Loop {
    fn cluster_event(&mut self, event: WatchEvent) {
        self.dirty.extend(self.clusters.apply(event).into_iter().map(|(key, _)| key));
    }

    /// Of an object that belongs to an HDFS: it is looked at.
    fn touched(&mut self, of: fn(&mut Self) -> &mut Index, event: WatchEvent) {
        for (key, before) in of(self).apply(event) {
            let Some(object) = of(self).get(&key).or(before.as_ref()) else { continue };
            if let Some(name) = label(object, HDFS_LABEL) {
                let name = Key::new(key.namespace, name);
                self.dirty.insert(name);
            }
        }
    }

    fn all_dirty(&mut self) {
        self.dirty.extend(self.clusters.values().map(Key::of));
    }

    /// observe -> validate -> build -> apply -> status; what is to be removed is planned once it is known who serves.
    async fn reconcile(&mut self, key: &Key) -> Result<(), ApiError> {
        // What is on its way out goes by the cluster's garbage collection; volumes stay.
        let Some(cluster) = self.clusters.get(key).filter(|cluster| !is_leaving(cluster)).cloned() else {
            self.written.remove(key);
            self.safe_since.remove(key);
            return Ok(());
        };
        let now = (self.config.clock)();
        let before = HdfsStatus::of(&cluster);
        let of_this = |object: &&Value| {
            label(object, HDFS_LABEL) == Some(&key.name) && object["metadata"]["namespace"] == key.namespace.as_str()
        };
        let pods: Vec<&Value> = self.pods.values().filter(of_this).collect();
        let sets: Vec<&Value> = self.sets.values().filter(of_this).collect();
        let generation = cluster["metadata"]["generation"].as_i64().unwrap_or(0);
        let by_node = self.nodes.prefix();
        let mut seen = status::Seen {
            generation,
            before: &before,
            pods,
            active: None,
            outdated: Vec::new(),
            by_node,
            removal: None,
            canary: None,
            now,
        };
        let plan = match self.plan(&cluster) {
            Ok(plan) => plan,
            Err(error) => return self.say(key, &before, &status::of_invalid(&error, &seen)).await,
        };
        let running = self.data_nodes(key, &sets);
        if let Some(fleet) = &self.config.fleet
            && let Err(error) = room::check(&plan, running, &fleet.policy, &self.nodes.all())
        {
            return self.say(key, &before, &status::of_invalid(&error, &seen)).await;
        }
        let running = running.unwrap_or(plan.data_nodes);
        let kept = removal::kept(plan.data_nodes, running, &seen.pods);
        let plan = plan.keeping(kept);
        let mut objects = build(&plan);
        if by_node.is_ok() {
            objects.insert(0, network_policy(&plan, self.nodes.ranges()));
        }
        if plan.by_zone() {
            // Before the pods that read it.
            objects.insert(0, zones(&plan, &self.nodes.all()));
        }
        let known = self.written.get(key);
        let mut generations = known.map(|known| known.generations.clone()).unwrap_or_default();
        let held = roll::held(&objects, &sets, &seen.pods, &generations);
        objects.retain(|object| object["kind"] != "StatefulSet" || !held.contains(&Key::of(object).name));
        // What somebody else changed is not seen, so that from time to time all is written again.
        let lately = known.filter(|known| now.since(known.when) < REFRESH);
        if lately.is_none_or(|known| known.objects != objects) {
            let mut claims = self.claims(key).await?;
            removal::mark_claims(&self.config.client, &mut claims, kept, running).await?;
            if let Err(error) = keeps_volumes(&plan, &claims) {
                return self.say(key, &before, &status::of_invalid(&error, &seen)).await;
            }
            create_once(&self.config.client, &excluded(&plan, &BTreeSet::new())).await?;
            for object in objects.iter().filter(|object| lately.is_none_or(|known| !known.objects.contains(object))) {
                let applied = self.config.client.apply(&of(object), object, FIELD_MANAGER).await?;
                if object["kind"] == "StatefulSet"
                    && let Some(generation) = applied["metadata"]["generation"].as_i64()
                {
                    generations.insert(Key::of(object).name, generation);
                }
            }
            if lately.is_none() {
                self.drop_budgets(key, &objects).await?;
            }
            let when = lately.map_or(now, |known| known.when);
            let generations = generations.clone();
            self.written.insert(key.clone(), Written { objects: objects.clone(), when, generations, kept });
        }
        seen.outdated = roll::outdated(&objects, &sets, &seen.pods, &generations, &held);
        let name_nodes = plan.name_node_pods();
        seen.active =
            name_node::active(&self.config.client, &key.namespace, name_nodes.iter().map(String::as_str)).await;
        if seen.active.is_some() {
            create_once(&self.config.client, &formatted(&plan)).await?;
        }
        let (client, emptied) = (&self.config.client, self.nodes.emptied());
        let world = removal::observe(client, &plan, &seen.pods, &emptied, seen.active.as_deref()).await?;
        let decided = removals::plan(&world, self.safe_since.get(key).unwrap_or(&SafeSince::new()), now);
        removal::carry_out(client, &plan, &seen.pods, &world, &decided, FIELD_MANAGER).await?;
        self.safe_since.insert(key.clone(), decided.safe_since);
        seen.removal = decided.told;
        seen.canary = canary::page(client, &seen.pods).await;
        if let Some(pod) = roll::next(&sets, &seen.pods, seen.active.as_deref()) {
            self.evict(pod).await?;
        }
        self.say(key, &before, &status::of_plan(&plan, seen)).await
    }

    /// How many DataNodes there are to be so far: as the set says or, where its last change is not seen yet, as was written.
    fn data_nodes(&self, key: &Key, sets: &[&Value]) -> Option<u32> {
        let set = sets.iter().find(|set| is_data_node(set))?;
        let written = self.written.get(key).and_then(|known| {
            let generation = known.generations.get(&Key::of(set).name)?;
            (set["metadata"]["generation"].as_i64() < Some(*generation)).then_some(known.kept)
        });
        written.or_else(|| u32::try_from(set["spec"]["replicas"].as_u64()?).ok())
    }

    /// Claims of volumes of this HDFS, or of one that had its name. Those that are on their way out say nothing of what is to come.
    async fn claims(&self, key: &Key) -> Result<Vec<Value>, ApiError> {
        let selector = format!("{HDFS_LABEL}={}", key.name);
        let path = path("", "v1", &key.namespace, "persistentvolumeclaims", "");
        let mut claims = self.config.client.list(&path, &[("labelSelector", &selector)]).await?.0;
        claims.retain(|claim| !is_leaving(claim));
        Ok(claims)
    }

    /// Deletes disruption budgets of an older version that are made no more: no pod that two of them select can be evicted.
    async fn drop_budgets(&self, key: &Key, objects: &[Value]) -> Result<(), ApiError> {
        let selector = format!("{HDFS_LABEL}={}", key.name);
        let path = path("policy", "v1", &key.namespace, "poddisruptionbudgets", "");
        let made =
            |name: &str| objects.iter().any(|o| o["kind"] == "PodDisruptionBudget" && o["metadata"]["name"] == name);
        for budget in self.config.client.list(&path, &[("labelSelector", &selector)]).await?.0 {
            let Key { name, .. } = Key::of(&budget);
            if !made(&name) {
                self.config.client.delete(&format!("{path}/{name}")).await?;
            }
        }
        Ok(())
    }

    /// Asks a NameNode to go. A budget that refuses for now is asked again with the next tick.
    async fn evict(&self, pod: &Value) -> Result<(), ApiError> {
        let Key { namespace, name } = Key::of(pod);
        tracing::info!(%namespace, %name, "replaced by a NameNode of the newest spec");
        let path = format!("{}/eviction", path("", "v1", &namespace, "pods", &name));
        match self.config.client.create(&path, &roll::eviction(pod)).await {
            Err(error) if !error.is_passing() && !error.is_not_found() && !error.is_conflict() => Err(error),
            _ => Ok(()),
        }
    }

    fn plan(&self, cluster: &Value) -> Result<Plan, InvalidHdfs> {
        let Key { namespace, name } = Key::of(cluster);
        let uid = cluster["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let spec = match &cluster["spec"] {
            Value::Null => HdfsSpec::default(),
            spec => serde_json::from_value(spec.clone()).map_err(|error| InvalidHdfs::Form(error.to_string()))?,
        };
        let plan = validate(Identity { namespace, name, uid }, spec, &self.config.hdfs)?;
        let most_nodes = self.config.fleet.as_ref().map(|fleet| fleet.policy.max);
        Ok(plan.by_node(self.nodes.prefix().as_ref().ok().copied()).in_fleet(most_nodes))
    }

    fn tell_sessions(&self) {
        let plans = self.clusters.values().filter(|cluster| !is_leaving(cluster)).filter_map(|c| self.plan(c).ok());
        let found = Found { plans: plans.collect(), prefix: self.nodes.prefix().as_ref().ok().copied() };
        self.tell.send_if_modified(|told| {
            let changed = *told != found;
            if changed {
                *told = found;
            }
            changed
        });
    }

    /// Writes the status where it differs.
    async fn say(&self, key: &Key, before: &HdfsStatus, status: &HdfsStatus) -> Result<(), ApiError> {
        if before == status {
            return Ok(());
        }
        let mut said = json!(status);
        if status.active.is_none() {
            said["active"] = Value::Null; // what is left out of a patch stays
        }
        let path = path(GROUP, VERSION, &key.namespace, HDFS_CLUSTERS, &key.name);
        write::status(&self.config.client, &path, &said).await
    }
}
