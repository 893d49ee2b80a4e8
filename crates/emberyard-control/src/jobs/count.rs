//! A job's pods by what became of them.

use super::{Job, indexes};
use crate::workload::number;
use crate::workload::pods::is_active;
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, PodView, list, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a job waits after its first failure; twice as long after each further one.
const FIRST_REST: u64 = 10;
/// The longest it waits.
const LONGEST_REST: u64 = 600;

/// See the module.
#[derive(Debug)]
pub(super) struct Count<'a> {
    pub active: Vec<&'a Value>,
    pub ready: usize,
    /// Pods on their way out that have not ended.
    pub terminating: usize,
    pub succeeded: i64,
    pub failed: i64,
    /// Indexes that succeeded.
    pub done: BTreeSet<i64>,
    /// Times since the last success at which pods failed.
    failures: Vec<Timestamp>,
}

/// How many pods ended, and how.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ended {
    succeeded: i64,
    failed: i64,
}

impl Ended {
    /// Counts a pod that came to its end. One that was told to go first did not fail.
    pub(super) fn add(&mut self, pod: &Value) {
        match PodView(pod).phase() {
            "Succeeded" => self.succeeded += 1,
            "Failed" if !Meta(pod).is_deleting() => self.failed += 1,
            _ => {}
        }
    }

    /// What the job's status counts beyond these.
    pub(super) fn beside(self, job: Job<'_>) -> Self {
        let known = |field: &str| number(job.0, &["status", field]).unwrap_or(0);
        Self { succeeded: (known("succeeded") - self.succeeded).max(0), failed: (known("failed") - self.failed).max(0) }
    }
}

/// When an ended pod ended.
pub(super) fn ended(pod: &Value) -> Option<Timestamp> {
    let view = PodView(pod);
    let times = list(pod, &["status", "containerStatuses"])
        .iter()
        .filter_map(|one| Timestamp::parse(text(one, &["state", "terminated", "finishedAt"])).ok());
    view.is_finished().then(|| times.max().or_else(|| view.meta().created()))?
}

fn ended_at(pod: &Value) -> Timestamp {
    Timestamp::parse(text(pod, &["status", "ended"])).unwrap_or_default()
}

impl<'a> Count<'a> {
    pub(super) fn of(job: Job<'_>, pods: &[&'a Value], there: Ended, gone: Ended) -> Self {
        let phase = |phase: &'static str| pods.iter().copied().filter(move |pod| PodView(pod).phase() == phase);
        let active: Vec<&Value> = pods.iter().copied().filter(|pod| is_active(pod)).collect();
        let mut done = indexes::parse(text(job.0, &["status", "completedIndexes"]));
        done.extend(phase("Succeeded").filter_map(indexes::of));
        let indexes = i64::try_from(done.len()).unwrap_or(i64::MAX);
        let succeeded = if job.is_indexed() { indexes } else { there.succeeded + gone.succeeded };
        let last_success = phase("Succeeded").map(ended_at).max().unwrap_or_default();
        let failed = phase("Failed").filter(|pod| !Meta(pod).is_deleting());
        let failures = failed.map(ended_at).filter(|at| *at >= last_success).collect();
        Self {
            ready: active.iter().filter(|pod| PodView(pod).is_ready()).count(),
            terminating: pods.iter().filter(|pod| Meta(pod).is_deleting() && !PodView(pod).is_finished()).count(),
            active,
            succeeded,
            failed: there.failed + gone.failed,
            done,
            failures,
        }
    }

    /// How many pods are to run at once.
    pub(super) fn wanted(&self, job: Job<'_>) -> i64 {
        let parallel = job.spec("parallelism").unwrap_or(1);
        match job.spec("completions") {
            Some(completions) => parallel.min(completions - self.succeeded).max(0),
            // Any success means that the work is done: those that run may end, and no more come.
            None if self.succeeded > 0 => parallel.min(i64::try_from(self.active.len()).unwrap_or(i64::MAX)),
            None => parallel,
        }
    }

    /// Pods that still count although they are going, where a replacement may not come before they have ended.
    pub(super) fn held_back(&self, job: Job<'_>) -> i64 {
        let waits = text(job.0, &["spec", "podReplacementPolicy"]) == "Failed";
        if waits { i64::try_from(self.terminating).unwrap_or(0) } else { 0 }
    }

    /// Until when no pod is made, because others failed.
    pub(super) fn rest(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.failures.iter().max()?;
        let doublings = u32::try_from(self.failures.len() - 1).unwrap_or(u32::MAX).min(10);
        let until = last.plus(Duration::from_secs((FIRST_REST << doublings).min(LONGEST_REST)));
        (until > now).then_some(until)
    }
}
