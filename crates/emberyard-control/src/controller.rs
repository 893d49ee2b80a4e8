//! The one shape of scheduler and controllers.

use emberyard_model::Timestamp;
use emberyard_object::{ApiRequest, Gvr};
use serde_json::Value;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is there: created, or found by the first listing.
    Added,
    /// It changed.
    Modified,
    /// It is gone; the object is its last state.
    Deleted,
}

/// What a controller learns.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A watch event.
    Object {
        /// The watched resource.
        resource: &'a Gvr,
        /// What happened.
        change: Change,
        /// The object now, or as it was last.
        object: &'a Value,
    },
    /// Every watch has delivered what there was: from now on the controller acts. Comes once.
    Synced,
    /// The answer to a request.
    Answered {
        /// The request's token.
        token: u64,
        /// HTTP status; 0 when no answer came.
        status: u16,
        /// The body.
        body: &'a Value,
    },
    /// The time a controller asked to be woken at has come.
    Tick,
}

/// What a controller wants.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Output {
    /// Requests, each with a token under which its answer comes back. Independent of each other: they may run in any order.
    pub requests: Vec<(u64, ApiRequest)>,
    /// When to call again with [`Input::Tick`] at the latest; takes the place of any earlier time.
    pub wake: Option<Timestamp>,
    /// Whether [`Controller::watches`] answers differently from before (a custom resource came or went).
    pub rewatch: bool,
}

/// Randomness of a step: each call gives 64 new bits.
pub type Rng<'r> = &'r mut dyn FnMut() -> u64;

/// A scheduler or controller. Whoever runs it gives it the events of its watches in order and carries its requests out under its user.
pub trait Controller: Send {
    /// Its name, as Kubernetes calls it (`generic-garbage-collector`).
    fn name(&self) -> &'static str;

    /// The user its requests are made as; Kubernetes' own roles fit these names.
    fn user(&self) -> String;

    /// The user it watches as. Kubernetes' controllers share the watches of their manager, and its roles are cut
    /// accordingly: few controllers may list and watch as themselves what they need to know.
    fn watcher(&self) -> String {
        self.user()
    }

    /// What it watches, in all namespaces.
    fn watches(&self) -> Vec<Gvr>;

    /// Takes one input.
    fn step(&mut self, input: Input<'_>, now: Timestamp, rng: Rng<'_>) -> Output;
}
