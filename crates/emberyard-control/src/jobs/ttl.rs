//! Finished jobs that are to go by themselves after a while.
//!
//! Rule source: `pkg/controller/ttlafterfinished/ttlafterfinished_controller.go`.

use super::Job;
use crate::index::{Id, Index};
use crate::reconcile::{Reconciler, Seen, Work};
use crate::workload::Key;
use crate::{Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::condition;
use emberyard_object::view::{Meta, at, text};
use emberyard_object::{ApiRequest, DeleteOptions, Gvr, Propagation};
use serde_json::{Value, json};
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct FinishedJobs;

impl Reconciler for FinishedJobs {
    type Key = Key;

    fn name(&self) -> &'static str {
        "ttl-after-finished-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::jobs()]
    }

    fn keep(&self, _resource: &Gvr, object: &Value) -> Value {
        let mut kept = trim::only(object, trim::LIFE);
        kept["spec"] = json!({"ttlSecondsAfterFinished": at(object, &["spec", "ttlSecondsAfterFinished"])});
        kept["status"] = json!({"conditions": at(object, &["status", "conditions"])});
        kept
    }

    fn affected(&mut self, seen: Seen<'_>, _index: &Index, _now: Timestamp) -> Vec<Key> {
        vec![(seen.id.namespace.clone(), seen.id.name.clone())]
    }

    fn reconcile(&mut self, (namespace, name): &Key, index: &Index, now: Timestamp, _rng: Rng<'_>) -> Work {
        let resource = resources::jobs();
        let found = index.find(&resource, namespace, name).filter(|job| !Meta(job).is_deleting()).map(Job);
        let Some(job) = found else { return Work::default() };
        let ended = ["Complete", "Failed"]
            .into_iter()
            .filter_map(|type_| condition::held(&job.0["status"], type_))
            .find_map(|end| Timestamp::parse(text(end, &["lastTransitionTime"])).ok());
        let seconds = job.spec("ttlSecondsAfterFinished").and_then(|seconds| u64::try_from(seconds).ok());
        let (Some(ended), Some(seconds)) = (ended, seconds) else { return Work::default() };
        let due = ended.plus(Duration::from_secs(seconds));
        if due > now {
            return Work::later(due);
        }
        let options = DeleteOptions {
            uid: Some(job.meta().uid().to_owned()),
            propagation: Some(Propagation::Foreground),
            ..DeleteOptions::default()
        };
        Work::one(ApiRequest::delete(&resource, Id::of(&resource, job.0).at(), &options))
    }
}
