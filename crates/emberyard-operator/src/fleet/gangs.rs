//! How many executors each application will have, from its driver's own mouth.

use crate::driver::{self, Context, Drivers};
use crate::index::Index;
use crate::view::{Key, label, owner_pod};
use emberyard_client::Client;
use emberyard_manifest::SPARK_APP_LABEL;
use emberyard_model::Timestamp;
use emberyard_plan::{GangId, World};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::mpsc;

/// A driver that is still starting is asked again after this long.
const AGAIN: Duration = Duration::from_millis(500);

/// What a driver said.
#[derive(Debug)]
pub struct Answer {
    gang: GangId,
    wants: Wants,
}

/// How many executors an application will have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// So many.
    Fixed(u32),
    /// That depends on its work (dynamic allocation).
    Varying,
    /// Its driver still starts, and does not tell yet.
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
        self.known.insert(gang, wants);
    }

    /// Asks the drivers of gangs whose size is not known, from their first pod on, whether it waits or not: later pods
    /// of it may wait. Best effort, in the background.
    pub fn ask(&mut self, world: &World, pods: &Index, now: Timestamp) {
        let gangs: BTreeSet<&GangId> = world.pods.iter().filter_map(|pod| pod.gang.as_ref()).collect();
        self.known.retain(|gang, _| gangs.contains(gang));
        self.asked.retain(|gang, _| gangs.contains(gang));
        for gang in gangs {
            let fresh = self.asked.get(gang).is_some_and(|asked| now.since(*asked) < AGAIN);
            let told = matches!(self.known.get(gang), Some(Wants::Fixed(_) | Wants::Varying));
            if fresh || told {
                continue;
            }
            let Some((driver, application)) = driver_of(gang, pods) else { continue };
            self.asked.insert(gang.clone(), now);
            let (client, answers, gang) = (self.client.clone(), self.answers.clone(), gang.clone());
            tokio::spawn(async move {
                let Ok(drivers) = driver::ask(&client, &driver).await else { return };
                // A closed channel means that the operator ends.
                let _ = answers.send(Answer { wants: wants(&drivers, &application), gang }).await;
            });
        }
    }
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
