//! How many executors each application will have, from its driver's own mouth.

use crate::driver::{self, Context, Drivers};
use crate::index::Index;
use crate::view::{Key, condition, label, owner_pod};
use emberyard_client::Client;
use emberyard_manifest::SPARK_APP_LABEL;
use emberyard_model::Timestamp;
use emberyard_plan::{GangId, PodId, World};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::mpsc;

/// A driver that is still starting is asked again after this long.
const AGAIN: Duration = Duration::from_millis(500);

/// What a driver said; none when it could not be asked.
#[derive(Debug)]
pub struct Answer {
    gang: GangId,
    wants: Option<Wants>,
}

/// How many executors an application will have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// So many.
    Fixed(u32),
    /// That depends on its work (dynamic allocation).
    Varying,
    /// Its driver was asked, but does not tell yet: it still starts.
    NotTold,
}

/// What is known, and who has been asked.
pub struct Gangs {
    client: Client,
    answers: mpsc::Sender<Answer>,
    known: BTreeMap<GangId, Wants>,
    asked: BTreeMap<GangId, Timestamp>,
}

impl Gangs {
    /// With the channel by which answers come back.
    pub fn new(client: Client) -> (Self, mpsc::Receiver<Answer>) {
        let (answers, receiver) = mpsc::channel(64);
        (Self { client, answers, known: BTreeMap::new(), asked: BTreeMap::new() }, receiver)
    }

    /// Tells the planner what is known so far.
    pub fn tell(&self, world: &mut World) {
        for (gang, wants) in &self.known {
            match wants {
                Wants::Fixed(executors) => drop(world.expected.insert(gang.clone(), *executors)),
                Wants::NotTold => drop(world.starting.insert(gang.clone())),
                Wants::Varying => {}
            }
        }
    }

    /// Takes an answer in.
    pub fn answered(&mut self, Answer { gang, wants }: Answer) {
        match wants {
            Some(wants) => drop(self.known.insert(gang, wants)),
            None => drop(self.known.remove(&gang)),
        }
    }

    /// Asks the drivers of gangs whose size is not known, once no node takes a pod of theirs. Not earlier: the answer
    /// costs a driver more than a CPU second, as its JVM has not served that page before, at the very time when its user
    /// waits for it. Best effort, in the background.
    pub fn ask(&mut self, world: &World, pods: &Index, now: Timestamp) {
        let gangs: BTreeSet<&GangId> = world.pods.iter().filter_map(|pod| pod.gang.as_ref()).collect();
        self.known.retain(|gang, _| gangs.contains(gang));
        self.asked.retain(|gang, _| gangs.contains(gang));
        for gang in short_of_room(world, pods) {
            let fresh = self.asked.get(gang).is_some_and(|asked| now.since(*asked) < AGAIN);
            let told = matches!(self.known.get(gang), Some(Wants::Fixed(_) | Wants::Varying));
            if fresh || told {
                continue;
            }
            let Some((driver, application)) = driver_of(gang, pods) else { continue };
            self.asked.insert(gang.clone(), now);
            self.known.entry(gang.clone()).or_insert(Wants::NotTold);
            let (client, answers, gang) = (self.client.clone(), self.answers.clone(), gang.clone());
            tokio::spawn(async move {
                let wants = driver::ask(&client, &driver).await.ok().map(|drivers| wants(&drivers, &application));
                // A closed channel means that the operator ends.
                let _ = answers.send(Answer { gang, wants }).await;
            });
        }
    }
}

/// Gangs with a pod that the scheduler found no node for.
fn short_of_room<'a>(world: &'a World, pods: &Index) -> BTreeSet<&'a GangId> {
    let refused = |id: &PodId| pods.get(&Key::new(&id.namespace, &id.name)).is_some_and(is_refused);
    world.pods.iter().filter(|pod| pod.node.is_none() && refused(&pod.id)).filter_map(|pod| pod.gang.as_ref()).collect()
}

fn is_refused(pod: &Value) -> bool {
    condition(pod, "PodScheduled").is_some_and(|one| one["status"] == "False" && one["reason"] == "Unschedulable")
}

fn wants(drivers: &Drivers, application: &str) -> Wants {
    match drivers.contexts.iter().find(|context| context.id == application).map(Context::executors) {
        Some(Some(executors)) => Wants::Fixed(executors),
        Some(None) => Wants::Varying,
        None => Wants::NotTold,
    }
}

/// The driver's pod of a gang and its application's id.
fn driver_of(gang: &GangId, pods: &Index) -> Option<(Key, String)> {
    let (namespace, application) = gang.0.split_once('/')?;
    let executor = pods
        .values()
        .find(|pod| label(pod, SPARK_APP_LABEL) == Some(application) && pod["metadata"]["namespace"] == namespace)?;
    Some((Key::new(namespace, owner_pod(executor)?), application.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pod_without_a_node_to_go_to_is_short_of_room() {
        let pod = |status: &str, reason: &str| {
            let condition = serde_json::json!({"type": "PodScheduled", "status": status, "reason": reason});
            serde_json::json!({"status": {"conditions": [condition]}})
        };
        assert!(is_refused(&pod("False", "Unschedulable")));
        assert!(!is_refused(&pod("False", "SchedulingGated")));
        assert!(!is_refused(&pod("True", "")));
        assert!(!is_refused(&serde_json::json!({})));
    }

    #[test]
    fn what_a_driver_wants() {
        let drivers = |contexts: &str| -> Drivers {
            serde_json::from_str(&format!(r#"{{"drivers": 1, "contexts": [{contexts}]}}"#)).unwrap()
        };
        let table = [
            ("", Wants::NotTold),
            (r#"{"id": "another"}"#, Wants::NotTold),
            (r#"{"id": "a", "settings": {"spark.executor.instances": "10"}}"#, Wants::Fixed(10)),
            (r#"{"id": "a", "settings": {"spark.dynamicAllocation.enabled": "true"}}"#, Wants::Varying),
        ];
        for (contexts, wanted) in table {
            assert_eq!(wants(&drivers(contexts), "a"), wanted, "{contexts}");
        }
    }
}
