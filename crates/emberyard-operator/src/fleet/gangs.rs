//! How many executors each application will have, from its driver's own mouth.

use crate::driver;
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
    executors: Option<u32>,
}

/// What is known, and who has been asked.
pub struct Gangs {
    client: Client,
    answers: mpsc::Sender<Answer>,
    expected: BTreeMap<GangId, u32>,
    asked: BTreeMap<GangId, Timestamp>,
}

impl Gangs {
    /// With the channel by which answers come back.
    pub fn new(client: Client) -> (Self, mpsc::Receiver<Answer>) {
        let (answers, receiver) = mpsc::channel(64);
        (Self { client, answers, expected: BTreeMap::new(), asked: BTreeMap::new() }, receiver)
    }

    /// Sizes known so far.
    pub fn expected(&self) -> &BTreeMap<GangId, u32> {
        &self.expected
    }

    /// Takes an answer in.
    pub fn answered(&mut self, Answer { gang, executors }: Answer) {
        if let Some(executors) = executors {
            self.expected.insert(gang, executors);
        }
    }

    /// Asks the drivers of gangs that wait and whose size is not known. Best effort, in the background.
    pub fn ask(&mut self, world: &World, pods: &Index, now: Timestamp) {
        let gangs: BTreeSet<&GangId> = world.pods.iter().filter_map(|pod| pod.gang.as_ref()).collect();
        self.expected.retain(|gang, _| gangs.contains(gang));
        self.asked.retain(|gang, _| gangs.contains(gang));
        let waiting = world.pods.iter().filter(|pod| pod.node.is_none());
        let open: BTreeSet<&GangId> = waiting.filter_map(|pod| pod.gang.as_ref()).collect();
        for gang in open {
            let fresh = self.asked.get(gang).is_some_and(|asked| now.since(*asked) < AGAIN);
            if fresh || self.expected.contains_key(gang) {
                continue;
            }
            let Some((driver, application)) = driver_of(gang, pods) else { continue };
            self.asked.insert(gang.clone(), now);
            let (client, answers, gang) = (self.client.clone(), self.answers.clone(), gang.clone());
            tokio::spawn(async move {
                let Ok(drivers) = driver::ask(&client, &driver).await else { return };
                let context = drivers.contexts.into_iter().find(|context| context.id == application);
                let executors = context.and_then(|context| context.executors());
                // A closed channel means that the operator ends.
                let _ = answers.send(Answer { gang, executors }).await;
            });
        }
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
