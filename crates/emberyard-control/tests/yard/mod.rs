//! The whole control plane in one thread: the API server's state machine and all controllers, each under its own user.

use emberyard_cluster::{ApiServer, Config, Reply, Request, User, WatchCursor};
use emberyard_control::{Change, Controller, Input, Settings, all};
use emberyard_model::Timestamp;
use emberyard_object::{ApiRequest, Catalog, Gvr, Method};
use serde_json::{Value, json};
use std::time::Duration;

struct Watch {
    resource: Gvr,
    cursor: WatchCursor,
    listed: bool,
}

struct Runner {
    controller: Box<dyn Controller>,
    watches: Vec<Watch>,
    synced: bool,
    wake: Option<Timestamp>,
    waiting: Vec<(u64, ApiRequest)>,
}

/// See the module.
pub struct Yard {
    server: ApiServer,
    pub now: Timestamp,
    dice: u64,
    runners: Vec<Runner>,
    /// Requests of controllers that the server refused for another reason than that the world had changed.
    pub refused: Vec<String>,
}

impl Yard {
    pub fn new(now: Timestamp) -> Self {
        let mut yard =
            Self { server: ApiServer::new(Config::default()), now, dice: 7, runners: Vec::new(), refused: Vec::new() };
        let Self { server, dice, .. } = &mut yard;
        server.bootstrap(now, &mut |out: &mut [u8]| fill(dice, out));
        yard.start();
        yard
    }

    /// Starts scheduler and controllers, as after a restart of the control plane: what they knew is gone.
    pub fn start(&mut self) {
        let settings =
            Settings { ca_pem: "PEM".to_owned(), volumes_dir: "/volumes".to_owned(), catalog: Catalog::builtin() };
        self.runners = all(&settings)
            .into_iter()
            .map(|controller| Runner {
                controller,
                watches: Vec::new(),
                synced: false,
                wake: None,
                waiting: Vec::new(),
            })
            .collect();
        for index in 0..self.runners.len() {
            self.watch(index);
        }
        self.settle();
    }

    /// Opens the watches that the controller wants and does not have.
    fn watch(&mut self, index: usize) {
        let wanted = self.runners[index].controller.watches();
        self.runners[index].watches.retain(|watch| wanted.contains(&watch.resource));
        for resource in wanted {
            if self.runners[index].watches.iter().any(|watch| watch.resource == resource) {
                continue;
            }
            let mut request =
                Request::new(user(&self.runners[index].controller.watcher()), Method::Get, resource.path(None, None));
            let query = [
                ("watch", "true"),
                ("allowWatchBookmarks", "true"),
                ("sendInitialEvents", "true"),
                ("resourceVersionMatch", "NotOlderThan"),
            ];
            request.query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            match self.handle(&request) {
                Reply::Watch(start) => {
                    self.runners[index].watches.push(Watch { resource, cursor: start.cursor, listed: false });
                }
                other => panic!("{} cannot watch {resource}: {other:?}", self.runners[index].controller.name()),
            }
        }
    }

    fn handle(&mut self, request: &Request) -> Reply {
        let Self { server, dice, now, .. } = self;
        server.handle(request, *now, &mut |out: &mut [u8]| fill(dice, out))
    }

    fn send(&mut self, user: User, request: &ApiRequest) -> (u16, Value) {
        let mut sent = Request::new(user, request.method, request.path.clone());
        sent.query.clone_from(&request.query);
        if let Some(body) = &request.body {
            sent.content_type = Some(request.content_type.as_str().to_owned());
            sent.body = body.to_string().into();
        }
        match self.handle(&sent) {
            Reply::Answer(answer) => (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default()),
            other => panic!("{other:?}"),
        }
    }

    /// What an administrator does. Fails unless it succeeds.
    pub fn admin(&mut self, request: &ApiRequest) -> Value {
        let (status, body) = self.try_admin(request);
        assert!((200..300).contains(&status), "{} {}: {body}", request.method.as_str(), request.path);
        body
    }

    pub fn try_admin(&mut self, request: &ApiRequest) -> (u16, Value) {
        self.send(User::new("admin", &["system:masters"]), request)
    }

    pub fn get(&mut self, resource: &Gvr, namespace: Option<&str>, name: &str) -> Option<Value> {
        let (status, body) = self.try_admin(&ApiRequest::get(resource, (namespace, name)));
        (status == 200).then_some(body)
    }

    pub fn names(&mut self, resource: &Gvr, namespace: Option<&str>) -> Vec<String> {
        let list = self.admin(&ApiRequest::list(resource, namespace));
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    fn step(&mut self, index: usize, input: Input<'_>) {
        let Self { runners, dice, now, .. } = self;
        let mut rng = || {
            let mut bytes = [0; 8];
            fill(dice, &mut bytes);
            u64::from_le_bytes(bytes)
        };
        let output = runners[index].controller.step(input, *now, &mut rng);
        runners[index].waiting.extend(output.requests);
        runners[index].wake = output.wake;
        if output.rewatch {
            self.watch(index);
        }
    }

    /// Runs until nothing happens any more.
    pub fn settle(&mut self) {
        for _ in 0..5_000 {
            let mut busy = false;
            for index in 0..self.runners.len() {
                busy |= self.turn(index);
            }
            if !busy {
                return;
            }
        }
        panic!("does not settle");
    }

    fn turn(&mut self, index: usize) -> bool {
        let mut busy = self.read(index);
        let runner = &mut self.runners[index];
        if !runner.synced && runner.watches.iter().all(|watch| watch.listed) {
            runner.synced = true;
            self.step(index, Input::Synced);
            busy = true;
        }
        for (token, request) in std::mem::take(&mut self.runners[index].waiting) {
            let (status, body) = self.send(user(&self.runners[index].controller.user()), &request);
            if !matches!(status, 200..=299 | 404 | 409) {
                let name = self.runners[index].controller.name();
                self.refused.push(format!("{name}: {} {}: {body}", request.method.as_str(), request.path));
            }
            self.step(index, Input::Answered { token, status, body: &body });
            busy = true;
        }
        if self.runners[index].wake.is_some_and(|at| at <= self.now) {
            self.runners[index].wake = None;
            self.step(index, Input::Tick);
            busy = true;
        }
        busy
    }

    /// Hands the controller what its watches say.
    fn read(&mut self, index: usize) -> bool {
        let mut told = Vec::new();
        let upto = self.server.revision();
        for watch in &mut self.runners[index].watches {
            let poll = self.server.poll_watch(&mut watch.cursor, upto, self.now);
            assert!(!poll.finished, "{} ended", watch.resource);
            for frame in poll.frames {
                let event: Value = serde_json::from_slice(&frame).unwrap();
                let change = match event["type"].as_str().unwrap() {
                    "ADDED" => Change::Added,
                    "MODIFIED" => Change::Modified,
                    "DELETED" => Change::Deleted,
                    "BOOKMARK" => {
                        watch.listed |=
                            event["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == json!("true");
                        continue;
                    }
                    other => panic!("{other}: {event}"),
                };
                told.push((watch.resource.clone(), change, event["object"].clone()));
            }
        }
        for (resource, change, object) in &told {
            self.step(index, Input::Object { resource, change: *change, object });
        }
        !told.is_empty()
    }

    /// Lets time pass second by second, with what `each` does in every one.
    pub fn pass(&mut self, seconds: u32, mut each: impl FnMut(&mut Self)) {
        for _ in 0..seconds {
            self.now = self.now.plus(Duration::from_secs(1));
            each(self);
            self.settle();
        }
    }
}

fn user(name: &str) -> User {
    match name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
        Some((namespace, name)) => User::service_account(namespace, name),
        None => User::new(name, &[]),
    }
}

fn fill(dice: &mut u64, out: &mut [u8]) {
    for byte in out {
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = (*dice >> 40) as u8;
    }
}
