//! Controllers at work on the fake server, one event at a time.

use super::FakeApi;
use crate::{Change, Controller, Input, Output};
use emberyard_model::Timestamp;
use emberyard_object::{ApiRequest, Gvr};
use serde_json::Value;
use std::time::Duration;

struct Runner {
    controller: Box<dyn Controller>,
    watches: Vec<Gvr>,
    /// How much of the log it has seen.
    seen: usize,
    wake: Option<Timestamp>,
    waiting: Vec<(u64, ApiRequest)>,
}

/// A server and controllers.
pub(crate) struct Bench {
    pub api: FakeApi,
    pub now: Timestamp,
    runners: Vec<Runner>,
    dice: u64,
}

impl Bench {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { api: FakeApi::default(), now, runners: Vec::new(), dice: 1 }
    }

    /// Starts a controller: it sees everything there is, then acts.
    pub(crate) fn start(&mut self, controller: Box<dyn Controller>) {
        let watches = controller.watches();
        let runner =
            Runner { controller, watches: watches.clone(), seen: self.api.log.len(), wake: None, waiting: Vec::new() };
        self.runners.push(runner);
        let index = self.runners.len() - 1;
        let objects: Vec<_> =
            self.api.objects.iter().map(|((gvr, ..), object)| (gvr.clone(), object.clone())).collect();
        for (gvr, object) in objects.iter().filter(|(gvr, _)| watches.contains(gvr)) {
            self.step(index, Input::Object { resource: gvr, change: Change::Added, object });
        }
        self.step(index, Input::Synced);
    }

    /// Ends all controllers, as a crash would: what they knew is gone.
    pub(crate) fn crash(&mut self) {
        self.runners.clear();
    }

    fn step(&mut self, index: usize, input: Input<'_>) {
        let Self { runners, dice, now, .. } = self;
        let runner = &mut runners[index];
        let mut rng = || {
            *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *dice
        };
        let Output { requests, wake, rewatch } = runner.controller.step(input, *now, &mut rng);
        runner.waiting.extend(requests);
        runner.wake = wake;
        if rewatch {
            self.rewatch(index);
        }
    }

    /// Shows what there is of newly watched resources.
    fn rewatch(&mut self, index: usize) {
        let runner = &mut self.runners[index];
        let before = std::mem::replace(&mut runner.watches, runner.controller.watches());
        let now = &runner.watches;
        let new: Vec<_> =
            self.api.objects.iter().filter(|((of, ..), _)| now.contains(of) && !before.contains(of)).collect();
        let new: Vec<_> = new.into_iter().map(|((of, ..), object)| (of.clone(), object.clone())).collect();
        for (gvr, object) in new {
            self.step(index, Input::Object { resource: &gvr, change: Change::Added, object: &object });
        }
    }

    /// Runs until nobody has anything to do; fails if that takes for ever.
    pub(crate) fn settle(&mut self) {
        for _ in 0..20_000 {
            let mut busy = false;
            for index in 0..self.runners.len() {
                busy |= self.turn(index);
            }
            if !busy {
                return;
            }
        }
        panic!("does not settle: {:?}", self.api.seen.iter().rev().take(20).collect::<Vec<_>>());
    }

    /// Lets so many single things happen.
    pub(crate) fn steps(&mut self, count: usize) {
        for _ in 0..count {
            if !(0..self.runners.len()).any(|index| self.turn(index)) {
                return;
            }
        }
    }

    /// One event, request or wake-up of one controller.
    fn turn(&mut self, index: usize) -> bool {
        let runner = &mut self.runners[index];
        if let Some((gvr, change, object)) = self.api.log.get(runner.seen).cloned() {
            runner.seen += 1;
            if runner.watches.contains(&gvr) {
                self.step(index, Input::Object { resource: &gvr, change, object: &object });
            }
            return true;
        }
        if !runner.waiting.is_empty() {
            let (token, request) = runner.waiting.remove(0);
            let (status, body): (u16, Value) = self.api.run(&request);
            self.step(index, Input::Answered { token, status, body: &body });
            return true;
        }
        if runner.wake.is_some_and(|at| at <= self.now) {
            runner.wake = None;
            self.step(index, Input::Tick);
            return true;
        }
        false
    }

    /// Lets time pass, waking controllers when they asked for it.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        loop {
            self.settle();
            match self.runners.iter().filter_map(|runner| runner.wake).min().filter(|at| *at <= end) {
                Some(at) => self.now = self.now.max(at),
                None => break,
            }
        }
        self.now = end;
        self.settle();
    }
}
