//! The scheduler: finds a node for every pod that has none, or says why there is none.

mod cluster;
mod filter;
mod node;
mod pod;
mod refusal;
mod score;
mod term;
mod topology;
mod volumes;
mod writes;

#[cfg(test)]
mod tests;

use crate::controller::{Change, Controller, Input, Output, Rng};
use crate::resources;
use cluster::Cluster;
use emberyard_model::Timestamp;
use emberyard_object::view::{PodView, text};
use emberyard_object::{ApiRequest, Gvr};
use pod::{PodInfo, PodKey};
use score::Cost;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use topology::Topology;
use volumes::Volumes;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    cluster: Cluster,
    synced: bool,
    /// Pods to look at: new ones, and those whose own wishes changed.
    fresh: BTreeSet<PodKey>,
    /// Room, claims or labels changed: every waiting pod is to be looked at again.
    stirred: bool,
    /// What each waiting pod's status says, with the pod's uid.
    said: BTreeMap<PodKey, (String, String)>,
    bindings: BTreeMap<u64, (PodKey, String)>,
    next_token: u64,
    /// Bindings without a clear answer, to be sent again to the same node.
    retries: BTreeMap<PodKey, (String, Timestamp, u32)>,
    statements: BTreeMap<u64, PodKey>,
    /// When to look at every waiting pod again although nothing happened: something was refused.
    again: Option<Timestamp>,
}

/// After a refusal nobody expects, this long.
const SECOND_THOUGHT: Duration = Duration::from_secs(1);

impl Scheduler {
    fn object(&mut self, resource: &Gvr, change: Change, object: &Value) {
        let gone = change == Change::Deleted;
        match resource.resource.as_str() {
            "pods" => self.pod(object, gone),
            "nodes" if gone => {
                self.cluster.remove_node(text(object, &["metadata", "name"]));
                self.stirred = true; // their texts count nodes
            }
            "nodes" => self.stirred |= self.cluster.put_node(object),
            _ => self.stirred |= self.cluster.put_other(resource, object, gone),
        }
    }

    fn pod(&mut self, object: &Value, gone: bool) {
        let meta = PodView(object).meta();
        let key = (meta.namespace().to_owned(), meta.name().to_owned());
        if self.cluster.pods.get(&key).is_some_and(|known| known.uid != meta.uid() && gone) {
            return; // a late word of an earlier pod of this name
        }
        let Some(pod) = PodInfo::read(object).filter(|_| !gone) else {
            self.stirred |= self.cluster.remove_pod(&key).is_some_and(|pod| pod.node.is_some());
            self.fresh.remove(&key);
            self.said.remove(&key);
            self.retries.remove(&key);
            return;
        };
        if let Some(condition) = PodView(object).condition("PodScheduled") {
            let message = text(condition, &["message"]).to_owned();
            self.said.entry(key.clone()).or_insert_with(|| (pod.uid.clone(), message));
        }
        let known = self.cluster.pods.get(&key).cloned();
        self.cluster.put_pod(pod);
        let now = self.cluster.pods.get(&key);
        if now.is_some_and(PodInfo::waits) && known.as_ref() != now {
            self.fresh.insert(key);
        } else if let (Some(known), Some(now)) = (known, now) {
            // A pod that others look at, on a node, changed its labels or began to go.
            self.stirred |= now.node.is_some() && (known.labels != now.labels || known.deleting != now.deleting);
        }
    }

    fn answered(&mut self, token: u64, status: u16, now: Timestamp) {
        if let Some(key) = self.statements.remove(&token)
            && !matches!(status, 200..=299 | 404)
        {
            self.said.remove(&key);
            self.again = Some(now.plus(SECOND_THOUGHT));
        }
        let Some((key, node)) = self.bindings.remove(&token) else { return };
        match status {
            200..=299 => drop(self.retries.remove(&key)),
            // Gone, bound meanwhile, or never to be bound like this: the watch tells, or another decision is made.
            400..=428 => {
                self.retries.remove(&key);
                self.cluster.retract(&key);
                self.again = Some(now.plus(SECOND_THOUGHT));
            }
            // It may have happened or not. Until that is known the room counts as taken.
            _ => {
                let tries = self.retries.get(&key).map_or(0, |(.., tries)| *tries) + 1;
                let pause = Duration::from_millis((50_u64 << tries.min(9)).min(10_000));
                self.retries.insert(key, (node, now.plus(pause), tries));
            }
        }
    }

    fn run(&mut self, now: Timestamp, rng: Rng<'_>) -> Output {
        let mut output = Output::default();
        if !self.synced {
            return output;
        }
        let due: Vec<(PodKey, String)> = self
            .retries
            .iter()
            .filter(|(key, (_, at, _))| *at <= now && !self.bindings.values().any(|(bound, _)| bound == *key))
            .map(|(key, (node, ..))| (key.clone(), node.clone()))
            .collect();
        for (key, node) in due {
            match self.cluster.pods.get(&key) {
                Some(pod) => {
                    let request = writes::binding(pod, &node);
                    let token = self.send(request, &mut output);
                    self.bindings.insert(token, (key, node));
                }
                None => drop(self.retries.remove(&key)),
            }
        }
        if self.again.is_some_and(|at| at <= now) {
            (self.again, self.stirred) = (None, true);
        }
        // A pod that was placed may be the company another one waits for: then there is one more round.
        while self.stirred || !self.fresh.is_empty() {
            self.round(now, rng, &mut output);
        }
        output.wake = self.retries.values().map(|(_, at, _)| *at).chain(self.again).min();
        output
    }

    fn round(&mut self, now: Timestamp, rng: Rng<'_>, output: &mut Output) {
        let mut placed = false;
        for key in self.waiting() {
            let Some(pod) = self.cluster.pods.get(&key).filter(|pod| pod.waits()).cloned() else { continue };
            match self.choose(&pod) {
                Ok(node) => {
                    self.bind(&pod, node, now, rng, output);
                    placed = true;
                }
                Err(message) => self.refuse(&pod, message, now, rng, output),
            }
        }
        if placed {
            let lonely = self.cluster.pods.values().filter(|pod| pod.waits() && !pod.near.is_empty());
            self.fresh.extend(lonely.map(PodInfo::key));
        }
    }

    /// The pods to look at, the most important first, then the oldest.
    fn waiting(&mut self) -> Vec<PodKey> {
        let keys = std::mem::take(&mut self.fresh);
        let mut pods: Vec<&PodInfo> = if std::mem::take(&mut self.stirred) {
            self.cluster.pods.values().filter(|pod| pod.waits()).collect()
        } else {
            keys.iter().filter_map(|key| self.cluster.pods.get(key)).filter(|pod| pod.waits()).collect()
        };
        pods.sort_by_key(|pod| (Reverse(pod.priority), pod.created, pod.key()));
        pods.into_iter().map(PodInfo::key).collect()
    }

    /// The best node for the pod, or why there is none.
    fn choose(&self, pod: &PodInfo) -> Result<String, String> {
        let nodes = &self.cluster.nodes;
        let volumes = Volumes::of(pod, &self.cluster).map_err(|reason| refusal::wait_message(nodes.len(), &reason))?;
        let topology = Topology::of(pod, &self.cluster);
        let mut refused = Vec::new();
        let mut best: Option<(Cost, &str)> = None;
        for node in nodes.values() {
            let obstacles = filter::obstacles(pod, node, &self.cluster, &volumes, &topology);
            if !obstacles.is_empty() {
                refused.push(obstacles);
                continue;
            }
            let cost = Cost::of(pod, node, &self.cluster, &topology);
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, &node.name));
            }
        }
        best.map(|(_, name)| name.to_owned()).ok_or_else(|| refusal::message(nodes.len(), refused.into_iter()))
    }

    fn bind(&mut self, pod: &PodInfo, node: String, now: Timestamp, rng: Rng<'_>, output: &mut Output) {
        let key = pod.key();
        self.cluster.assume(&key, &node);
        self.said.remove(&key);
        let token = self.send(writes::binding(pod, &node), output);
        let message = format!("Successfully assigned {}/{} to {node}", pod.namespace, pod.name);
        self.bindings.insert(token, (key, node));
        self.send(writes::event(pod, true, &message, now, rng()), output);
    }

    /// Says why the pod waits, if that is not what it says already.
    fn refuse(&mut self, pod: &PodInfo, message: String, now: Timestamp, rng: Rng<'_>, output: &mut Output) {
        let saying = (pod.uid.clone(), message);
        if self.said.get(&pod.key()) == Some(&saying) {
            return;
        }
        let token = self.send(writes::unschedulable(pod, &saying.1, now), output);
        self.statements.insert(token, pod.key());
        self.send(writes::event(pod, false, &saying.1, now, rng()), output);
        self.said.insert(pod.key(), saying);
    }

    fn send(&mut self, request: ApiRequest, output: &mut Output) -> u64 {
        self.next_token += 1;
        output.requests.push((self.next_token, request));
        self.next_token
    }
}

impl Controller for Scheduler {
    fn name(&self) -> &'static str {
        "kube-scheduler"
    }

    fn user(&self) -> String {
        "system:kube-scheduler".to_owned()
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![
            resources::pods(),
            resources::nodes(),
            resources::persistent_volume_claims(),
            resources::persistent_volumes(),
            resources::namespaces(),
        ]
    }

    fn step(&mut self, input: Input<'_>, now: Timestamp, rng: Rng<'_>) -> Output {
        match input {
            Input::Object { resource, change, object } => self.object(resource, change, object),
            Input::Synced => (self.synced, self.stirred) = (true, true),
            Input::Answered { token, status, .. } => self.answered(token, status, now),
            Input::Tick => {}
        }
        self.run(now, rng)
    }
}
