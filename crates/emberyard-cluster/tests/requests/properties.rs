//! What holds for any requests in any order.

use crate::yard::Yard;
use emberyard_cluster::{ApiServer, Config, Method, Reply, Revision, WatchCursor, journal};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Step {
    Create(u8, u8),
    Update(u8, u8),
    Label(u8, bool),
    Finalizer(u8, bool),
    Delete(u8, u8),
    DeleteMany(u8),
    Poll,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u8..5, any::<u8>()).prop_map(|(n, v)| Step::Create(n, v)),
        3 => (0_u8..5, 0_u8..3).prop_map(|(n, v)| Step::Update(n, v)),
        3 => (0_u8..5, any::<bool>()).prop_map(|(n, on)| Step::Label(n, on)),
        1 => (0_u8..5, any::<bool>()).prop_map(|(n, on)| Step::Finalizer(n, on)),
        2 => (0_u8..5, 0_u8..4).prop_map(|(n, p)| Step::Delete(n, p)),
        1 => (0_u8..2).prop_map(Step::DeleteMany),
        2 => Just(Step::Poll),
        1 => Just(Step::Restart),
    ]
}

/// Where any body may be sent.
const PATHS: [&str; 14] = [
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/pods/a",
    "/api/v1/namespaces/default/pods/a/status",
    "/api/v1/namespaces/default/pods/a/binding",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/events",
    "/api/v1/namespaces/default/serviceaccounts/default/token",
    "/api/v1/namespaces/default",
    "/api/v1/nodes/a",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    "/apis/events.k8s.io/v1/namespaces/default/events/a",
];

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn run(yard: &mut Yard, step: &Step) {
    let path = |n: u8| format!("{MAPS}/m{n}");
    match *step {
        Step::Create(n, v) => {
            yard.call(Method::Post, MAPS, json!({"metadata": {"name": format!("m{n}")}, "data": {"v": v.to_string()}}))
        }
        Step::Update(n, v) => yard.call(Method::Patch, &path(n), json!({"data": {"v": v.to_string()}})),
        Step::Label(n, on) => {
            let value = if on { json!("yes") } else { Value::Null };
            yard.call(Method::Patch, &path(n), json!({"metadata": {"labels": {"on": value}}}))
        }
        Step::Finalizer(n, on) => {
            let value = if on { json!(["a.b/c"]) } else { Value::Null };
            yard.call(Method::Patch, &path(n), json!({"metadata": {"finalizers": value}}))
        }
        Step::Delete(n, p) => {
            let policy = ["Background", "Foreground", "Orphan", "Sideways"][usize::from(p)];
            yard.call(Method::Delete, &path(n), json!({"propagationPolicy": policy}))
        }
        Step::DeleteMany(on) => {
            let query = if on == 1 { "labelSelector=on" } else { "labelSelector=!on" };
            yard.call(Method::Delete, &format!("{MAPS}?{query}"), Value::Null)
        }
        Step::Poll | Step::Restart => (0, Value::Null),
    };
}

/// A client that keeps what a watch tells it.
struct Follower {
    query: &'static str,
    cursor: WatchCursor,
    known: BTreeMap<String, Value>,
}

impl Follower {
    fn new(yard: &mut Yard, query: &'static str) -> Self {
        let cursor = yard.watch(&format!("{MAPS}?watch=true{query}"));
        Self { query, cursor, known: BTreeMap::new() }
    }

    fn poll(&mut self, yard: &mut Yard) {
        let mut last = 0;
        for frame in yard.frames(&mut self.cursor) {
            let object = frame["object"].clone();
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            let revision: u64 = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
            let known = self.known.contains_key(&name);
            match frame["type"].as_str().unwrap() {
                "ADDED" => assert!(!known && self.known.insert(name, object).is_none()),
                "MODIFIED" => assert!(known && self.known.insert(name, object).is_some()),
                "DELETED" => assert!(self.known.remove(&name).is_some()),
                other => panic!("{other}"),
            }
            assert!(revision >= last || last == 0, "events come in order");
            last = revision;
        }
    }

    fn check(&mut self, yard: &mut Yard) {
        self.poll(yard);
        let list = yard.get(&format!("{MAPS}?{}", self.query.trim_start_matches('&')));
        let listed: BTreeMap<String, Value> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["metadata"]["name"].as_str().unwrap().to_owned(), item.clone()))
            .collect();
        assert_eq!(self.known, listed);
    }

    /// Comes back after a restart with the revision it last saw.
    fn resume(&mut self, yard: &mut Yard) {
        let from = self.cursor.sent();
        self.cursor = yard.watch(&format!("{MAPS}?watch=true{}&resourceVersion={from}", self.query));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn watchers_know_what_lists_show(steps in prop::collection::vec(step(), 0..50)) {
        let mut yard = Yard::new();
        let mut followers = vec![Follower::new(&mut yard, ""), Follower::new(&mut yard, "&labelSelector=on%3Dyes")];
        for follower in &mut followers {
            follower.poll(&mut yard);
        }
        for step in &steps {
            let before = yard.server.revision();
            run(&mut yard, step);
            prop_assert!(yard.server.revision() >= before);
            if matches!(step, Step::Poll) {
                for follower in &mut followers { follower.check(&mut yard); }
            }
            if matches!(step, Step::Restart) {
                let bytes = journal::encode(&yard.records, Revision(0));
                let records = journal::Decoder::new(&bytes, Revision(0));
                let again = ApiServer::restore(Config::default(), None, records).unwrap();
                prop_assert_eq!(again.snapshot(), yard.server.snapshot());
                let snapshot = yard.server.snapshot();
                let from_snapshot = ApiServer::restore(Config::default(), Some(&snapshot), std::iter::empty()).unwrap();
                prop_assert_eq!(from_snapshot.snapshot(), snapshot);
                yard.server = again;
                for follower in &mut followers { follower.resume(&mut yard); }
            }
        }
        for follower in &mut followers { follower.check(&mut yard); }
        let revisions: Vec<u64> = yard.records.iter().map(|record| record.revision.0).collect();
        prop_assert!(revisions.windows(2).all(|pair| pair[1] == pair[0] + 1), "records follow without gap");
    }

    #[test]
    fn any_request_is_answered(
        method in 0_usize..5,
        path in prop_oneof![
            ".{0,40}",
            "(/(api|apis|v1|apps|namespaces|default|pods|nodes|services|a|proxy|status|log|exec|token|rbac.authorization.k8s.io|roles|bindings|%2e%2e|%)){0,8}/?",
        ],
        query in prop::collection::vec(("(watch|limit|continue|labelSelector|fieldSelector|dryRun|resourceVersion|fieldManager|force|fieldValidation|timeoutSeconds|sendInitialEvents|resourceVersionMatch|command|stdout|container)", ".{0,12}"), 0..4),
        content in prop_oneof![Just("application/json"), Just("application/yaml"), Just("application/json-patch+json"),
            Just("application/merge-patch+json"), Just("application/strategic-merge-patch+json"),
            Just("application/apply-patch+yaml"),
            Just("application/vnd.kubernetes.protobuf"), Just("text/plain")],
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            prop::collection::vec(any::<u8>(), 0..60).prop_map(|bytes| [b"k8s\0".as_slice(), &bytes].concat()),
            any_json().prop_map(|value| value.to_string().into_bytes()),
        ],
    ) {
        let mut yard = Yard::new();
        yard.node("a");
        yard.pod("a");
        yard.bind("a", "a");
        let method = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete][method];
        for path in std::iter::once(path.as_str()).chain(PATHS) {
            let mut request = yard.request(method, path, &Value::Null);
            request.query.clone_from(&query);
            request.content_type = Some(content.to_owned());
            request.body = body.clone().into();
            if let Reply::Answer(answer) = yard.reply(&request) {
                prop_assert!((200..600).contains(&answer.status));
                if answer.status >= 400 {
                    let status: Value = serde_json::from_slice(&answer.body).unwrap();
                    prop_assert_eq!(&status["kind"], "Status");
                    prop_assert_eq!(&status["code"], answer.status);
                    prop_assert!(answer.status != 500, "{status}");
                }
            }
        }
    }
}

/// JSON that looks a little like an object.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9.-]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                "(apiVersion|kind|metadata|spec|status|name|namespace|labels|finalizers|containers|ports|volumes|tolerations|clusterIP|type|immutable|op|path|value|image|resources|requests|conditions|taints|managedFields|uid|resourceVersion|stringData|data|rules|verbs|roleRef|subjects|group|names|plural|scope|versions|served|storage|schema|openAPIV3Schema|properties|target|series|involvedObject|resourceAttributes|user|verb)",
                inner,
                0..6
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
