//! Jobs: pods that are to come to an end, so many of them, with a limit to failing.
//!
//! Rule source: `pkg/controller/job/{job_controller,indexed_job_utils,backoff_utils}.go`. Upstream's finalizer on pods is not
//! used: ended pods are counted while they are there, and remembered when they go.

mod count;
mod indexes;
mod making;
mod outcome;
mod ttl;

#[cfg(test)]
mod tests;

pub(crate) use ttl::FinishedJobs;

use crate::index::Index;
use crate::reconcile::{Reconciler, Seen, Work, sooner};
use crate::replica_sets::first_to_go;
use crate::workload::members::{self, Owner};
use crate::workload::{Key, number, pods, restated};
use crate::{Change, Rng, resources, trim};
use count::{Count, Ended};
use emberyard_model::Timestamp;
use emberyard_object::Gvr;
use emberyard_object::condition;
use emberyard_object::view::{Meta, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    /// Ended pods of each job (by uid) that are no more. After a restart: what the status counts beyond those that are.
    gone: BTreeMap<String, Ended>,
}

/// A job, as its steps look at it.
#[derive(Debug, Clone, Copy)]
struct Job<'a>(&'a Value);

impl<'a> Job<'a> {
    fn meta(self) -> Meta<'a> {
        Meta(self.0)
    }

    fn owner(self) -> Owner<'a> {
        Owner { api_version: "batch/v1", kind: "Job", object: self.0 }
    }

    fn spec(self, field: &str) -> Option<i64> {
        number(self.0, &["spec", field])
    }

    fn is_indexed(self) -> bool {
        text(self.0, &["spec", "completionMode"]) == "Indexed"
    }

    fn is_suspended(self) -> bool {
        self.0["spec"]["suspend"] == true
    }

    fn condition(self, type_: &str) -> Option<&'a Value> {
        condition::find(&self.0["status"], type_)
    }

    fn holds(self, type_: &str) -> bool {
        condition::held(&self.0["status"], type_).is_some()
    }

    /// Whether it came to its end, one way or the other.
    fn is_finished(self) -> bool {
        self.holds("Complete") || self.holds("Failed")
    }

    fn started(self) -> Option<Timestamp> {
        Timestamp::parse(text(self.0, &["status", "startTime"])).ok()
    }
}

impl Reconciler for Jobs {
    type Key = Key;

    fn name(&self) -> &'static str {
        "job-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::jobs(), resources::pods()]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource != resources::pods() {
            return trim::without_managed_fields(object);
        }
        let mut kept = pods::keep(object);
        if let Some(ended) = count::ended(object) {
            kept["status"]["ended"] = json!(ended.rfc3339());
        }
        kept
    }

    fn affected(&mut self, seen: Seen<'_>, _index: &Index, _now: Timestamp) -> Vec<Key> {
        if seen.is(&resources::jobs()) {
            if seen.change == Change::Deleted {
                self.gone.remove(Meta(seen.object).uid());
            }
            return vec![(seen.id.namespace.clone(), seen.id.name.clone())];
        }
        if let (Change::Deleted, Some(pod)) = (seen.change, seen.before)
            && let Some(gone) = Meta(pod).controller().and_then(|job| self.gone.get_mut(job.uid))
        {
            gone.add(pod);
        }
        members::controllers([Some(seen.object), seen.before], "Job")
    }

    fn reconcile(&mut self, (namespace, name): &Key, index: &Index, now: Timestamp, _rng: Rng<'_>) -> Work {
        let resource = resources::jobs();
        let found = index.find(&resource, namespace, name).filter(|job| !Meta(job).is_deleting()).map(Job);
        let Some(job) = found.filter(|job| !job.is_finished()) else { return Work::default() };
        let Some(selector) = members::selector(job.0) else { return Work::default() };
        let all = index.within(&resources::pods(), namespace);
        let taken = members::of(&resources::pods(), &job.owner(), &selector, all, |_| true);
        if !taken.claims.is_empty() {
            return Work { requests: taken.claims, again: None };
        }
        let mut there = Ended::default();
        taken.mine.iter().for_each(|pod| there.add(pod));
        let gone = *self.gone.entry(job.meta().uid().to_owned()).or_insert_with(|| there.beside(job));
        let count = Count::of(job, &taken.mine, there, gone);
        let mut work = Work::default();
        let outcome = outcome::of(job, &count, now, &mut work.again);
        let wanted = if outcome.is_some() || job.is_suspended() { 0 } else { count.wanted(job) };
        let active = i64::try_from(count.active.len()).unwrap_or(i64::MAX);
        if active > wanted {
            let over = usize::try_from(active - wanted).unwrap_or(0);
            let going = first_to_go(&count.active, over);
            work.requests = going.into_iter().map(|pod| members::delete(&resources::pods(), pod)).collect();
        } else if active + count.held_back(job) < wanted {
            match count.rest(now) {
                Some(until) => sooner(&mut work.again, until),
                None => work.requests = making::pods(job, &count, wanted - active - count.held_back(job), index),
            }
        }
        let status = outcome::status(job, &count, outcome.as_ref(), now);
        work.requests.extend(restated(&resource, job.0, status));
        work
    }
}
