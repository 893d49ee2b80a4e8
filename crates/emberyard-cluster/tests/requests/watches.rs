//! Lists and watches, as clients of every kind use them.

use crate::yard::Yard;
use emberyard_cluster::Method::{Delete, Get, Patch, Put};
use emberyard_cluster::{ApiServer, Config, Revision, journal};
use serde_json::{Value, json};
use std::time::Duration;

const PODS: &str = "/api/v1/namespaces/default/pods";

fn label(yard: &mut Yard, pod: &str, labels: Value) -> Value {
    yard.ok(200, Patch, &format!("{PODS}/{pod}"), json!({"metadata": {"labels": labels}}))
}

fn short(events: Vec<String>) -> Vec<String> {
    events.into_iter().map(|event| event.split('@').next().unwrap_or("").to_owned()).collect()
}

#[test]
fn lists_are_selected() {
    let mut yard = Yard::new();
    yard.node("n");
    for name in ["a", "b", "c"] {
        yard.pod(name);
    }
    yard.bind("b", "n");
    let names = |list: Value| -> Vec<String> {
        list["items"].as_array().unwrap().iter().map(|i| i["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let table = [
        ("labelSelector=app%3Da", vec!["a"]),
        ("labelSelector=app!%3Da", vec!["b", "c"]),
        ("labelSelector=app in (a%2Cc)", vec!["a", "c"]),
        ("labelSelector=nothing", vec![]),
        ("labelSelector=!nothing", vec!["a", "b", "c"]),
        ("fieldSelector=metadata.name%3Db", vec!["b"]),
        ("fieldSelector=spec.nodeName%3Dn", vec!["b"]),
        ("fieldSelector=status.phase%3DPending", vec!["a", "b", "c"]),
        ("fieldSelector=status.phase!%3DPending", vec![]),
        ("resourceVersion=0", vec!["a", "b", "c"]),
    ];
    for (query, wanted) in table {
        assert_eq!(names(yard.get(&format!("{PODS}?{query}"))), wanted, "{query}");
    }
    assert_eq!(names(yard.get("/api/v1/pods")), ["a", "b", "c"]);
    assert_eq!(yard.get(PODS)["kind"], "PodList");
    yard.ok(400, Get, &format!("{PODS}?fieldSelector=spec.bogus%3Da"), Value::Null);
    yard.ok(400, Get, &format!("{PODS}?labelSelector=a in b"), Value::Null);
    yard.ok(504, Get, &format!("{PODS}?resourceVersion=999999"), Value::Null);
}

#[test]
fn pages_show_one_state() {
    let mut yard = Yard::new();
    for name in ["a", "b", "c", "d", "e"] {
        yard.pod(name);
    }
    let first = yard.get(&format!("{PODS}?limit=2"));
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    yard.ok(200, Delete, &format!("{PODS}/c"), Value::Null);
    yard.pod("f");
    let token = first["metadata"]["continue"].as_str().unwrap().to_owned();
    let second = yard.get(&format!("{PODS}?limit=9&continue={token}"));
    let names: Vec<_> = second["items"].as_array().unwrap().iter().map(|i| i["metadata"]["name"].clone()).collect();
    assert_eq!(names, ["c", "d", "e"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert_eq!(second["metadata"].get("continue"), None);
    yard.ok(400, Get, &format!("{PODS}?continue=nonsense"), Value::Null);
}

#[test]
fn a_watch_without_a_revision_shows_what_is_there() {
    let mut yard = Yard::new();
    yard.pod("a");
    let mut watch = yard.watch(&format!("{PODS}?watch=true&labelSelector=app"));
    assert_eq!(short(yard.poll(&mut watch)), ["ADDED a"]);
    yard.pod("b");
    label(&mut yard, "a", json!({"x": "1"}));
    yard.ok(200, Delete, &format!("{PODS}/a"), Value::Null);
    assert_eq!(short(yard.poll(&mut watch)), ["ADDED b", "MODIFIED a", "DELETED a"]);
    assert!(yard.poll(&mut watch).is_empty());
}

#[test]
fn selectors_make_things_come_and_go() {
    let mut yard = Yard::new();
    yard.pod("a");
    let mut watch = yard.watch(&format!("{PODS}?watch=true&labelSelector=role%3Dexec"));
    label(&mut yard, "a", json!({"role": "exec"}));
    label(&mut yard, "a", json!({"more": "1"}));
    let left = label(&mut yard, "a", json!({"role": null}));
    label(&mut yard, "a", json!({"more": "2"}));
    let frames = yard.frames(&mut watch);
    let told: Vec<_> = frames.iter().map(|f| f["type"].as_str().unwrap()).collect();
    assert_eq!(told, ["ADDED", "MODIFIED", "DELETED"]);
    let last = &frames[2]["object"]["metadata"];
    assert_eq!(last["labels"]["role"], "exec", "the last state that was selected");
    assert_eq!(last["resourceVersion"], left["metadata"]["resourceVersion"], "with the revision of the change");
}

#[test]
fn initial_events_end_with_a_bookmark() {
    let mut yard = Yard::new();
    yard.pod("a");
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = yard.watch(&format!("{PODS}?{query}"));
    let frames = yard.frames(&mut watch);
    assert_eq!(frames[0]["type"], "ADDED");
    assert_eq!(frames[1]["type"], "BOOKMARK");
    let meta = &frames[1]["object"]["metadata"];
    assert_eq!(meta["annotations"]["k8s.io/initial-events-end"], "true");
    assert_eq!(meta["resourceVersion"], yard.server.revision().to_string());
    assert_eq!(frames[1]["object"]["kind"], "Pod");
    yard.ok(422, Get, &format!("{PODS}?watch=true&sendInitialEvents=true"), Value::Null);
}

#[test]
fn quiet_watches_get_bookmarks() {
    let mut yard = Yard::new();
    let mut watch = yard.watch(&format!("{PODS}?watch=true&allowWatchBookmarks=true"));
    assert!(yard.poll(&mut watch).is_empty());
    yard.post("/api/v1/namespaces/default/configmaps", json!({"metadata": {"name": "a"}}));
    yard.now = yard.now.plus(Duration::from_mins(1));
    let events = yard.poll(&mut watch);
    assert_eq!(events, [format!("BOOKMARK @{}", yard.server.revision())]);
    assert_eq!(watch.sent(), yard.server.revision());
    yard.now = yard.now.plus(Duration::from_mins(1));
    assert!(yard.poll(&mut watch).is_empty(), "nothing new to say");
}

#[test]
fn busy_kinds_mark_watchers_before_they_fall_behind() {
    let mut yard = Yard::with(Config { history_bytes: 20_000, history_hard_bytes: 400_000, ..Config::default() });
    yard.pod("a");
    let mut watch = yard.watch(&format!("{PODS}?watch=true&allowWatchBookmarks=true&labelSelector=app%3Dnone"));
    let mut marks = 0;
    for round in 0..60 {
        label(&mut yard, "a", json!({"round": round.to_string()}));
        marks += yard.poll(&mut watch).len();
    }
    assert!(marks >= 4, "{marks}");
}

#[test]
fn only_durable_changes_are_told() {
    let mut yard = Yard::new();
    let mut watch = yard.watch(&format!("{PODS}?watch=true"));
    let before = yard.server.revision();
    yard.pod("a");
    assert!(yard.server.poll_watch(&mut watch, before, yard.now).frames.is_empty());
    assert_eq!(short(yard.poll(&mut watch)), ["ADDED a"]);
    let mut early = yard.watch(&format!("{PODS}?watch=true"));
    assert!(yard.server.poll_watch(&mut early, before, yard.now).frames.is_empty());
    assert_eq!(short(yard.poll(&mut early)), ["ADDED a"]);
}

#[test]
fn what_is_forgotten_is_gone() {
    let mut yard = Yard::with(Config { history_bytes: 4_000, history_hard_bytes: 8_000, ..Config::default() });
    yard.pod("a");
    let old = yard.server.revision();
    for round in 0..20 {
        label(&mut yard, "a", json!({"round": round.to_string()}));
    }
    let mut watch = yard.watch(&format!("{PODS}?watch=true&resourceVersion={old}"));
    let frames = yard.frames(&mut watch);
    assert_eq!(frames.len(), 1);
    assert_eq!((&frames[0]["type"], &frames[0]["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(frames[0]["object"]["reason"], "Expired");
    let gone =
        yard.ok(410, Get, &format!("{PODS}?resourceVersion={old}&resourceVersionMatch=Exact&limit=1"), Value::Null);
    assert_eq!(gone["reason"], "Expired");
}

#[test]
fn history_waits_for_those_who_may_come_back() {
    let config = Config { history_bytes: 4_000, history_hard_bytes: 400_000, ..Config::default() };
    let mut yard = Yard::with(config);
    yard.pod("a");
    let old = yard.server.revision();
    for round in 0..20 {
        label(&mut yard, "a", json!({"round": round.to_string()}));
    }
    for _ in 0..5 {
        yard.now = yard.now.plus(Duration::from_mins(1));
        yard.server.compact(old, yard.now);
    }
    for _ in 0..9 {
        yard.now = yard.now.plus(Duration::from_mins(1));
        yard.server.compact(yard.server.revision(), yard.now);
    }
    let mut watch = yard.watch(&format!("{PODS}?watch=true&resourceVersion={old}"));
    assert_eq!(yard.poll(&mut watch).len(), 20, "gone for nine minutes");
    for _ in 0..3 {
        yard.now = yard.now.plus(Duration::from_mins(1));
        yard.server.compact(yard.server.revision(), yard.now);
    }
    let mut watch = yard.watch(&format!("{PODS}?watch=true&resourceVersion={old}"));
    assert!(yard.poll(&mut watch)[0].starts_with("ERROR"), "gone for twelve");
}

#[test]
fn watches_resume_after_a_restart() {
    let mut yard = Yard::new();
    yard.pod("a");
    let mut watch = yard.watch(&format!("{PODS}?watch=true&labelSelector=role"));
    let from = yard.server.revision();
    let snapshot = yard.server.snapshot();
    label(&mut yard, "a", json!({"role": "x"}));
    label(&mut yard, "a", json!({"role": null}));
    let wanted = yard.poll(&mut watch);
    assert_eq!(short(wanted.clone()), ["ADDED a", "DELETED a"]);
    let bytes = journal::encode(&yard.records, Revision(0));
    let records = || journal::Decoder::new(&bytes, Revision(0));
    for snapshot in [Some(snapshot.as_slice()), None, Some(&yard.server.snapshot())] {
        let revision = yard.server.revision();
        yard.server = ApiServer::restore(Config::default(), snapshot, records()).unwrap();
        assert_eq!(yard.server.revision(), revision);
        let mut watch = yard.watch(&format!("{PODS}?watch=true&labelSelector=role&resourceVersion={from}"));
        assert_eq!(yard.poll(&mut watch), wanted);
    }
}

#[test]
fn metadata_alone_and_deletion() {
    let mut yard = Yard::new();
    yard.pod("a");
    let mut request = yard.request(Get, PODS, &Value::Null);
    request.accept =
        Some("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json".to_owned());
    let list: Value = serde_json::from_slice(&yard.answer(&request).body).unwrap();
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0].get("spec"), None);
    let changed = yard.get(&format!("{PODS}/a"));
    let mut changed = changed;
    changed["metadata"]["labels"] = json!({"b": "c"});
    yard.ok(200, Put, &format!("{PODS}/a"), changed);
    assert_eq!(yard.get(&format!("{PODS}/a"))["metadata"]["labels"], json!({"b": "c"}));
}
