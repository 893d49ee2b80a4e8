//! One controller's loop.

use super::feed::Fed;
use super::feeds::{Feeds, Subscription};
use crate::engine::Refusal;
use crate::http::Gate;
use emberyard_cluster::{Answer, Method, Reply, Request, User};
use emberyard_control::{Controller, Input, Output};
use emberyard_model::Timestamp;
use emberyard_object::Gvr;
use emberyard_object::request::{self, ApiRequest};
use futures::future::BoxFuture;
use futures::stream::{FuturesOrdered, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Changes that wait for a busy controller; behind that the watches wait.
const QUEUE: usize = 256;
/// Answers a controller may wait for at the same time; beyond that it gets no new changes.
const OUTSTANDING: usize = 256;
/// A controller that asks to be woken "now" is woken after this.
const SHORTEST: Duration = Duration::from_millis(1);

type Answered = BoxFuture<'static, (u64, u16, Value)>;

struct Runner {
    controller: Box<dyn Controller>,
    user: User,
    watcher: User,
    gate: Arc<Gate>,
    answers: FuturesOrdered<Answered>,
    wake: Option<Timestamp>,
    feeds: Arc<Feeds>,
    watched: BTreeMap<Arc<Gvr>, Watched>,
    out: mpsc::Sender<(Arc<Gvr>, Fed)>,
}

struct Watched {
    _subscription: Subscription,
    listed: bool,
}

/// Runs one controller until the server ends; what it watches comes from these feeds.
pub async fn run(controller: Box<dyn Controller>, gate: Arc<Gate>, feeds: Arc<Feeds>) {
    let (out, mut fed) = mpsc::channel(QUEUE);
    let shutdown = gate.shutdown.clone();
    let (user, watcher) = (user(&controller.user()), user(&controller.watcher()));
    let mut runner = Runner {
        controller,
        user,
        watcher,
        gate,
        answers: FuturesOrdered::new(),
        wake: None,
        feeds,
        watched: BTreeMap::new(),
        out,
    };
    runner.rewatch();
    let mut synced = false;
    loop {
        if !synced && runner.watched.values().all(|watched| watched.listed) {
            synced = true;
            runner.step(Input::Synced);
        }
        let room = runner.answers.len() < OUTSTANDING;
        let due = runner.due();
        tokio::select! {
            () = shutdown.cancelled() => return,
            Some((token, status, body)) = runner.answers.next(), if !runner.answers.is_empty() => {
                runner.step(Input::Answered { token, status, body: &body });
            }
            Some((resource, told)) = fed.recv(), if room => match told {
                Fed::Listed => if let Some(watched) = runner.watched.get_mut(&resource) { watched.listed = true },
                // What an ended feed still said is of no interest any more.
                Fed::Object(change, object) => if runner.watched.contains_key(&resource) {
                    runner.step(Input::Object { resource: &resource, change, object: &object });
                },
            },
            () = sleep(due.unwrap_or(Duration::MAX)), if due.is_some() => {
                runner.wake = None;
                runner.step(Input::Tick);
            }
        }
    }
}

impl Runner {
    /// How long until the controller wants to be woken.
    fn due(&self) -> Option<Duration> {
        self.wake.map(|at| at.since(self.gate.engine.now()).max(SHORTEST))
    }

    /// Joins and leaves feeds so that they are what the controller watches.
    fn rewatch(&mut self) {
        let wanted = self.controller.watches();
        self.watched.retain(|resource, _| wanted.contains(resource));
        for resource in wanted.into_iter().map(Arc::new) {
            if !self.watched.contains_key(&resource) {
                let subscription = self.feeds.subscribe(&self.watcher, &resource, self.out.clone());
                self.watched.insert(resource, Watched { _subscription: subscription, listed: false });
            }
        }
    }

    fn step(&mut self, input: Input<'_>) {
        let now = self.gate.engine.now();
        let (controller, gate) = (&mut self.controller, &self.gate);
        let mut rng = || gate.engine.random();
        // One controller's fault must not end the others, nor itself: what it missed it hears again by later changes.
        let Ok(output) = catch_unwind(AssertUnwindSafe(|| controller.step(input, now, &mut rng))) else {
            tracing::error!(controller = self.controller.name(), "a controller failed inside");
            return;
        };
        let Output { requests, wake, rewatch } = output;
        for (token, request) in requests {
            let answered = self.execute(token, request);
            self.answers.push_back(answered);
        }
        self.wake = wake.or(self.wake);
        if rewatch {
            self.rewatch();
        }
    }

    /// Applies a request at once, so that a controller's requests keep their order; its answer comes when it is durable.
    fn execute(&self, token: u64, request: ApiRequest) -> Answered {
        let request = self.request(request);
        let gate = Arc::clone(&self.gate);
        let (reply, ticket) = match gate.engine.call(&request) {
            Ok(reply) => reply,
            Err(refusal) => return Box::pin(async move { refused(token, &refusal) }),
        };
        Box::pin(async move {
            if let Err(refusal) = gate.engine.settle(ticket).await {
                return refused(token, &refusal);
            }
            match reply {
                Reply::Answer(answer) => told(token, &answer),
                Reply::Verify(verify) => told(token, &gate.verify(*verify)),
                _ => (token, 501, json!({"kind": "Status", "code": 501, "message": "not for controllers"})),
            }
        })
    }

    fn request(&self, request: ApiRequest) -> Request {
        let ApiRequest { method, path, query, content_type, body } = request;
        let method = match method {
            request::Method::Get => Method::Get,
            request::Method::Post => Method::Post,
            request::Method::Put => Method::Put,
            request::Method::Patch => Method::Patch,
            request::Method::Delete => Method::Delete,
        };
        let mut made = Request::new(self.user.clone(), method, path);
        made.query = query;
        made.user_agent = Some(self.controller.name().to_owned());
        if let Some(body) = body {
            made.content_type = Some(content_type.as_str().to_owned());
            made.body = body.to_string().into();
        }
        made
    }
}

fn refused(token: u64, refusal: &Refusal) -> (u64, u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": refusal.status,
        "reason": refusal.reason, "message": refusal.message});
    (token, refusal.status, status)
}

fn told(token: u64, answer: &Answer) -> (u64, u16, Value) {
    (token, answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

/// The user a controller names: a service account with its groups, or a plain one.
fn user(name: &str) -> User {
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    account.map_or_else(|| User::new(name, &[]), |(namespace, name)| User::service_account(namespace, name))
}
