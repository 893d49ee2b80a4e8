//! What is to be done next with a set's pods.

use super::claims::{self, Claims};
use super::revisions::{self, History};
use super::{Set, identity};
use crate::index::Index;
use crate::reconcile::{Work, sooner};
use crate::resources;
use crate::workload::members;
use crate::workload::pods::{Available, available, is_serving};
use emberyard_model::Timestamp;
use emberyard_object::ApiRequest;
use emberyard_object::view::{Meta, PodView};
use serde_json::Value;
use std::collections::BTreeMap;

/// One look at a set, and what came of it.
struct Steps<'a> {
    set: Set<'a>,
    history: &'a History<'a>,
    pods: &'a BTreeMap<i64, &'a Value>,
    index: &'a Index,
    now: Timestamp,
    work: Work,
}

/// Makes pods that lack, lets go of those beyond the number, then brings the rest up to date: each only when
/// what comes before it is done, in sets that keep an order.
pub(super) fn plan<'a>(
    set: Set<'a>,
    history: &'a History<'a>,
    pods: &'a BTreeMap<i64, &'a Value>,
    index: &'a Index,
    now: Timestamp,
) -> Work {
    let mut steps = Steps { set, history, pods, index, now, work: Work::default() };
    let settled = steps.fill() && steps.shrink();
    if settled && set.rolls() {
        steps.roll();
    }
    steps.work
}

impl Steps<'_> {
    /// Whether everything after this may go on.
    fn fill(&mut self) -> bool {
        for ordinal in self.set.ordinals() {
            if !self.tend(ordinal) && self.set.in_order() {
                return false;
            }
        }
        true
    }

    /// Looks after one ordinal that is to have a pod; whether it has one that does its work.
    fn tend(&mut self, ordinal: i64) -> bool {
        let Some(pod) = self.pods.get(&ordinal).copied() else {
            self.make(ordinal);
            return false;
        };
        if Meta(pod).is_deleting() {
            return false;
        }
        // A pod that failed or was evicted comes again under its name.
        if PodView(pod).is_finished() {
            self.delete(pod);
            return false;
        }
        if PodView(pod).phase() != "Running"
            && let Claims::Make(requests) = claims::look(self.set, ordinal, self.index)
        {
            self.work.requests.extend(requests);
        }
        let retain = claims::retain(self.set, ordinal, pod, self.index);
        self.work.requests.extend(retain);
        self.is_available(pod)
    }

    fn make(&mut self, ordinal: i64) {
        match claims::look(self.set, ordinal, self.index) {
            Claims::Wait => {}
            Claims::Make(requests) => self.work.requests.extend(requests),
            Claims::There => {
                let old = self.set.rolls() && ordinal < self.set.partition_end();
                let revision = if old { self.history.current } else { self.history.update };
                let template = revisions::template(revision);
                let pod = identity::pod(self.set, ordinal, &template, Meta(revision).name());
                let request = ApiRequest::create(&resources::pods(), Some(self.set.meta().namespace()), pod);
                self.work.requests.push(request);
            }
        }
    }

    /// Whether the pod has been ready for long enough; if it only needs time, somebody looks again then.
    fn is_available(&mut self, pod: &Value) -> bool {
        if !is_serving(pod) {
            return false;
        }
        match available(pod, self.set.min_ready_seconds(), self.now) {
            Available::Yes => true,
            Available::No => false,
            Available::Later(at) => {
                sooner(&mut self.work.again, at);
                false
            }
        }
    }

    /// Pods beyond the number go, highest ordinal first.
    fn shrink(&mut self) -> bool {
        let mut done = true;
        let wanted = self.set.ordinals();
        let condemned: Vec<(i64, &Value)> = self
            .pods
            .iter()
            .rev()
            .filter(|(ordinal, _)| !wanted.contains(ordinal))
            .map(|(o, pod)| (*o, *pod))
            .collect();
        for (ordinal, pod) in condemned {
            done = false;
            if !Meta(pod).is_deleting() {
                // Claims that go with the pod must name it before it is gone.
                let retain = claims::retain(self.set, ordinal, pod, self.index);
                if retain.is_empty() {
                    self.delete(pod);
                }
                self.work.requests.extend(retain);
            }
            if self.set.in_order() {
                return false;
            }
        }
        done
    }

    /// Replaces the highest pods of another revision: one, once all above it do their work, or as many as may be away.
    fn roll(&mut self) {
        let wanted = self.set.ordinals();
        let lowest = wanted.start.max(self.set.partition_end());
        let most = self.set.max_unavailable();
        let pods: Vec<Option<&Value>> = wanted.clone().map(|ordinal| self.pods.get(&ordinal).copied()).collect();
        let mut away = 0;
        if most > 1 {
            for pod in pods {
                let serves = pod.is_some_and(|pod| !Meta(pod).is_deleting() && self.is_available(pod));
                away += i64::from(!serves);
            }
        }
        for ordinal in (lowest..wanted.end).rev() {
            let Some(pod) = self.pods.get(&ordinal).copied() else { return };
            let old = identity::revision(pod) != Meta(self.history.update).name();
            if old && !Meta(pod).is_deleting() && (most == 1 || away < most) {
                self.delete(pod);
                away += 1;
            }
            let waits =
                if most == 1 { old || Meta(pod).is_deleting() || !self.is_available(pod) } else { away >= most };
            if waits {
                return;
            }
        }
    }

    fn delete(&mut self, pod: &Value) {
        self.work.requests.push(members::delete(&resources::pods(), pod));
    }
}
