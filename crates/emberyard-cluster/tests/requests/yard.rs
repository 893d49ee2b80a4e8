//! A server in a test: requests in, JSON out.

use emberyard_cluster::{Answer, ApiServer, Config, Method, Record, Reply, Request, User, WatchCursor};
use emberyard_model::Timestamp;
use serde_json::{Value, json};

pub const START: i64 = 1_769_860_800;

pub struct Yard {
    pub server: ApiServer,
    pub now: Timestamp,
    pub seed: u64,
    pub user: User,
    pub records: Vec<Record>,
}

/// A small generator: good enough to tell uids apart, the same in every run.
pub fn fill(seed: &mut u64, out: &mut [u8]) {
    for byte in out {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *byte = (*seed >> 32) as u8;
    }
}

pub fn admin() -> User {
    User::new("admin", &["system:masters"])
}

impl Yard {
    /// A bootstrapped server with the default service account, asked by its administrator.
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        let mut yard = Self {
            server: ApiServer::new(config),
            now: Timestamp::from_seconds(START),
            seed: 42,
            user: admin(),
            records: Vec::new(),
        };
        let (server, seed) = (&mut yard.server, &mut yard.seed);
        yard.records = server.bootstrap(yard.now, &mut |out: &mut [u8]| fill(seed, out));
        yard.ok(
            201,
            Method::Post,
            "/api/v1/namespaces/default/serviceaccounts",
            json!({"metadata": {"name": "default"}}),
        );
        yard
    }

    pub fn reply(&mut self, request: &Request) -> Reply {
        let seed = &mut self.seed;
        let reply = self.server.handle(request, self.now, &mut |out: &mut [u8]| fill(seed, out));
        if let Reply::Answer(answer) = &reply {
            self.records.extend(answer.records.iter().cloned());
        }
        reply
    }

    pub fn request(&self, method: Method, path: &str, body: &Value) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut request = Request::new(self.user.clone(), method, path);
        request.query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (key.to_owned(), value.replace("%3D", "=").replace("%2C", ",")))
            .collect();
        request.user_agent = Some("test/1".to_owned());
        if !body.is_null() {
            request.content_type = Some(
                match method {
                    Method::Patch => "application/merge-patch+json",
                    _ => "application/json",
                }
                .to_owned(),
            );
            request.body = body.to_string().into();
        }
        request
    }

    pub fn answer(&mut self, request: &Request) -> Answer {
        match self.reply(request) {
            Reply::Answer(answer) => answer,
            other => panic!("{} {} is no answer: {other:?}", request.method.as_str(), request.path),
        }
    }

    pub fn call(&mut self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.request(method, path, &body);
        let answer = self.answer(&request);
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }

    pub fn ok(&mut self, status: u16, method: Method, path: &str, body: Value) -> Value {
        let (is, value) = self.call(method, path, body);
        assert_eq!(is, status, "{} {path}: {value}", method.as_str());
        value
    }

    pub fn get(&mut self, path: &str) -> Value {
        self.ok(200, Method::Get, path, Value::Null)
    }

    pub fn post(&mut self, path: &str, body: Value) -> Value {
        self.ok(201, Method::Post, path, body)
    }

    pub fn patch(&mut self, kind: &str, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.request(Method::Patch, path, &body);
        request.content_type = Some(kind.to_owned());
        let answer = self.answer(&request);
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }

    /// A pod with one container.
    pub fn pod(&mut self, name: &str) -> Value {
        self.post(
            "/api/v1/namespaces/default/pods",
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "i"}]}}),
        )
    }

    /// A node with an address.
    pub fn node(&mut self, name: &str) -> Value {
        self.post(
            "/api/v1/nodes",
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
                "status": {"addresses": [{"type": "InternalIP", "address": "10.41.0.11"}],
                    "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}}}),
        )
    }

    pub fn bind(&mut self, pod: &str, node: &str) {
        let path = format!("/api/v1/namespaces/default/pods/{pod}/binding");
        self.post(
            &path,
            json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node}}),
        );
    }

    pub fn watch(&mut self, path: &str) -> WatchCursor {
        let request = self.request(Method::Get, path, &Value::Null);
        match self.reply(&request) {
            Reply::Watch(start) => start.cursor,
            other => panic!("{path} is no watch: {other:?}"),
        }
    }

    /// Everything a watch gets now, as `TYPE name@revision`.
    pub fn poll(&mut self, cursor: &mut WatchCursor) -> Vec<String> {
        self.frames(cursor)
            .iter()
            .map(|frame| {
                let meta = &frame["object"]["metadata"];
                let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
                format!("{} {}@{}", text(&frame["type"]), text(&meta["name"]), text(&meta["resourceVersion"]))
            })
            .collect()
    }

    pub fn frames(&mut self, cursor: &mut WatchCursor) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let poll = self.server.poll_watch(cursor, self.server.revision(), self.now);
            for frame in &poll.frames {
                assert_eq!(frame.last(), Some(&b'\n'));
                frames.push(serde_json::from_slice(frame).unwrap());
            }
            if !poll.more {
                return frames;
            }
        }
    }
}
