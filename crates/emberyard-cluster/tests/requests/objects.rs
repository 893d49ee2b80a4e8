//! Life of objects: create, read, update, patch, delete.

use crate::yard::Yard;
use emberyard_cluster::Method::{Delete, Get, Patch, Post, Put};
use serde_json::{Value, json};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": value}})
}

#[test]
fn a_config_map_lives() {
    let mut yard = Yard::new();
    let created = yard.post(MAPS, map("a", "1"));
    let meta = &created["metadata"];
    assert_eq!(meta["uid"].as_str().unwrap().len(), 36);
    assert_eq!(meta["creationTimestamp"], "2026-01-31T12:00:00Z");
    assert_eq!(meta["namespace"], "default");
    assert_eq!(yard.ok(409, Post, MAPS, map("a", "1"))["reason"], "AlreadyExists");
    assert_eq!(yard.get(&format!("{MAPS}/a")), created);

    let same = yard.ok(200, Put, &format!("{MAPS}/a"), created.clone());
    assert_eq!(same, created, "an update that changes nothing leaves the revision");
    let mut newer = created.clone();
    newer["data"]["k"] = json!("2");
    let updated = yard.ok(200, Put, &format!("{MAPS}/a"), newer.clone());
    assert_ne!(updated["metadata"]["resourceVersion"], meta["resourceVersion"]);
    assert_eq!(yard.ok(409, Put, &format!("{MAPS}/a"), newer)["reason"], "Conflict");
    let patched = yard.ok(200, Patch, &format!("{MAPS}/a"), json!({"data": {"k": null, "l": "3"}}));
    assert_eq!(patched["data"], json!({"l": "3"}));

    let gone = yard.ok(200, Delete, &format!("{MAPS}/a"), Value::Null);
    assert_eq!((&gone["kind"], &gone["status"]), (&json!("Status"), &json!("Success")));
    let missing = yard.ok(404, Get, &format!("{MAPS}/a"), Value::Null);
    assert_eq!(missing["message"], "configmaps \"a\" not found");
    assert_eq!(missing["details"], json!({"kind": "configmaps", "name": "a"}));
}

#[test]
fn names_are_made_and_checked() {
    let mut yard = Yard::new();
    let made = yard.post(MAPS, json!({"metadata": {"generateName": "a-"}}));
    assert_eq!(made["metadata"]["name"].as_str().unwrap().len(), 7);
    for (name, status) in [("A", 422), ("a_b", 422), ("", 422), ("a.b-c", 201)] {
        yard.ok(status, Post, MAPS, map(name, "1"));
    }
    yard.ok(404, Post, "/api/v1/namespaces/nope/configmaps", map("a", "1"));
    let mut elsewhere = map("b", "1");
    elsewhere["metadata"]["namespace"] = json!("other");
    yard.ok(400, Post, MAPS, elsewhere);
}

#[test]
fn dry_runs_leave_nothing() {
    let mut yard = Yard::new();
    let before = yard.server.revision();
    yard.ok(201, Post, &format!("{MAPS}?dryRun=All"), map("a", "1"));
    yard.ok(404, Get, &format!("{MAPS}/a"), Value::Null);
    assert_eq!(yard.server.revision(), before);
    yard.post(MAPS, map("a", "1"));
    let patched = yard.ok(200, Patch, &format!("{MAPS}/a?dryRun=All"), json!({"data": {"k": "2"}}));
    assert_eq!(patched["data"]["k"], "2");
    yard.ok(200, Delete, &format!("{MAPS}/a?dryRun=All"), Value::Null);
    assert_eq!(yard.get(&format!("{MAPS}/a"))["data"]["k"], "1");
    yard.ok(400, Post, &format!("{MAPS}?dryRun=Some"), map("b", "1"));
}

#[test]
fn preconditions_hold() {
    let mut yard = Yard::new();
    let created = yard.post(MAPS, map("a", "1"));
    let path = format!("{MAPS}/a");
    yard.ok(409, Delete, &path, json!({"preconditions": {"uid": "other"}}));
    yard.ok(409, Delete, &path, json!({"preconditions": {"resourceVersion": "1"}}));
    yard.ok(409, Patch, &path, json!({"metadata": {"resourceVersion": "1"}, "data": {"k": "2"}}));
    yard.ok(200, Delete, &path, json!({"preconditions": {"uid": created["metadata"]["uid"]}}));
}

#[test]
fn finalizers_hold_back() {
    let mut yard = Yard::new();
    let mut held = map("a", "1");
    held["metadata"]["finalizers"] = json!(["x.y/z"]);
    yard.post(MAPS, held);
    let path = format!("{MAPS}/a");
    let marked = yard.ok(200, Delete, &path, Value::Null);
    assert_eq!(marked["kind"], "ConfigMap");
    assert_eq!(marked["metadata"]["deletionTimestamp"], "2026-01-31T12:00:00Z");
    let again = yard.ok(200, Delete, &path, Value::Null);
    assert_eq!(again["metadata"]["resourceVersion"], marked["metadata"]["resourceVersion"]);
    yard.ok(200, Patch, &path, json!({"metadata": {"finalizers": null}}));
    yard.ok(404, Get, &path, Value::Null);
}

#[test]
fn propagation_becomes_finalizers() {
    let mut yard = Yard::new();
    for (policy, finalizers) in [("Foreground", json!(["foregroundDeletion"])), ("Orphan", json!(["orphan"]))] {
        yard.post(MAPS, map("a", "1"));
        let path = format!("{MAPS}/a");
        let marked = yard.ok(200, Delete, &path, json!({"propagationPolicy": policy}));
        assert_eq!(marked["metadata"]["finalizers"], finalizers);
        yard.ok(200, Delete, &path, json!({"propagationPolicy": "Background"}));
        yard.ok(404, Get, &path, Value::Null);
    }
    yard.ok(404, Delete, &format!("{MAPS}/b"), json!({"propagationPolicy": "Foreground"}));
    yard.post(MAPS, map("a", "1"));
    yard.ok(400, Delete, &format!("{MAPS}/a"), json!({"propagationPolicy": "Sideways"}));
}

#[test]
fn pods_go_in_grace() {
    let mut yard = Yard::new();
    yard.node("n");
    yard.pod("unscheduled");
    yard.ok(200, Delete, "/api/v1/namespaces/default/pods/unscheduled", Value::Null);
    yard.ok(404, Get, "/api/v1/namespaces/default/pods/unscheduled", Value::Null);

    yard.pod("a");
    yard.bind("a", "n");
    let path = "/api/v1/namespaces/default/pods/a";
    assert_eq!(yard.get(path)["status"]["conditions"][0]["type"], "PodScheduled");
    yard.ok(409, Post, &format!("{path}/binding"), json!({"target": {"name": "n"}}));
    let marked = yard.ok(200, Delete, path, json!({"gracePeriodSeconds": 20}));
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 20);
    assert_eq!(marked["metadata"]["deletionTimestamp"], "2026-01-31T12:00:20Z");
    let nearer = yard.ok(200, Delete, path, json!({"gracePeriodSeconds": 5}));
    assert_eq!(nearer["metadata"]["deletionTimestamp"], "2026-01-31T12:00:05Z");
    let gone = yard.ok(200, Delete, path, json!({"gracePeriodSeconds": 0}));
    assert_eq!(gone["kind"], "Pod");
    yard.ok(404, Get, path, Value::Null);
}

#[test]
fn status_is_written_apart() {
    let mut yard = Yard::new();
    let pod = yard.pod("a");
    let path = "/api/v1/namespaces/default/pods/a";
    let mut changed = pod.clone();
    changed["status"]["phase"] = json!("Running");
    changed["metadata"]["labels"]["x"] = json!("y");
    let updated = yard.ok(200, Put, path, changed.clone());
    assert_eq!(updated["status"]["phase"], "Pending");
    assert_eq!(updated["metadata"]["labels"]["x"], "y");
    changed["spec"]["containers"][0]["image"] = json!("other");
    changed["metadata"]["resourceVersion"] = json!("");
    let updated = yard.ok(200, Put, &format!("{path}/status"), changed.clone());
    assert_eq!(updated["status"]["phase"], "Running");
    assert_eq!(updated["spec"]["containers"][0]["image"], "i");
    changed["spec"]["containers"][0]["name"] = json!("other");
    let refused = yard.ok(422, Put, path, changed);
    assert!(refused["message"].as_str().unwrap().contains("pod updates may not change fields"));
}

#[test]
fn immutable_things_stay() {
    let mut yard = Yard::new();
    let mut fixed = map("a", "1");
    fixed["immutable"] = json!(true);
    yard.post(MAPS, fixed);
    yard.ok(422, Patch, &format!("{MAPS}/a"), json!({"data": {"k": "2"}}));
    yard.ok(200, Patch, &format!("{MAPS}/a"), json!({"metadata": {"labels": {"a": "b"}}}));
    let claims = "/api/v1/namespaces/default/persistentvolumeclaims";
    yard.post(
        claims,
        json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
    );
    yard.ok(422, Patch, &format!("{claims}/c"), json!({"spec": {"accessModes": ["ReadWriteMany"]}}));
    yard.ok(200, Patch, &format!("{claims}/c"), json!({"spec": {"volumeName": "v"}}));
    yard.ok(422, Patch, &format!("{claims}/c"), json!({"spec": {"volumeName": null}}));
    let services = "/api/v1/namespaces/default/services";
    let made = yard.post(services, json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}));
    let address = made["spec"]["clusterIP"].as_str().unwrap();
    assert!(address.starts_with("10.96."), "{address}");
    yard.ok(422, Patch, &format!("{services}/s"), json!({"spec": {"clusterIP": "10.96.7.7"}}));
    yard.ok(
        422,
        Post,
        services,
        json!({"metadata": {"name": "t"}, "spec": {"clusterIP": address, "ports": [{"port": 80}]}}),
    );
    let headless = yard.post(services, json!({"metadata": {"name": "h"}, "spec": {"clusterIP": "None"}}));
    assert_eq!(headless["spec"]["clusterIPs"], json!(["None"]));
}

#[test]
fn many_are_deleted_at_once() {
    let mut yard = Yard::new();
    for name in ["a", "b", "c"] {
        yard.pod(name);
    }
    let gone = yard.ok(
        200,
        Delete,
        "/api/v1/namespaces/default/pods?labelSelector=app in (a,b)",
        json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}),
    );
    assert_eq!(gone["items"].as_array().unwrap().len(), 2);
    let left = yard.get("/api/v1/namespaces/default/pods");
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    let none = yard.ok(200, Delete, "/api/v1/namespaces/default/services?labelSelector=x=y", Value::Null);
    assert_eq!((none["kind"].as_str(), none["items"].as_array().unwrap().len()), (Some("ServiceList"), 0));
}

#[test]
fn namespaces_end_by_finalize() {
    let mut yard = Yard::new();
    let made = yard.post("/api/v1/namespaces", json!({"metadata": {"name": "n"}}));
    assert_eq!(made["spec"]["finalizers"], json!(["kubernetes"]));
    let marked = yard.ok(200, Delete, "/api/v1/namespaces/n", Value::Null);
    assert_eq!(marked["status"]["phase"], "Terminating");
    let refused = yard.ok(403, Post, "/api/v1/namespaces/n/configmaps", map("a", "1"));
    assert_eq!(refused["details"]["causes"][0]["reason"], "NamespaceTerminating");
    let mut finalized = marked;
    finalized["spec"] = json!({});
    yard.ok(200, Put, "/api/v1/namespaces/n/finalize", finalized);
    yard.ok(404, Get, "/api/v1/namespaces/n", Value::Null);
    yard.ok(403, Delete, "/api/v1/namespaces/default", Value::Null);
}

#[test]
fn bad_input_is_named() {
    let mut yard = Yard::new();
    let mut raw = |content: Option<&str>, body: &[u8], path: &str| {
        let mut request = yard.request(Post, path, &Value::Null);
        request.content_type = content.map(str::to_owned);
        request.body = body.to_vec().into();
        yard.answer(&request).status
    };
    let table: [(Option<&str>, &[u8], &str, u16); 8] = [
        (None, b"{", MAPS, 400),
        (Some("application/json"), b"[]", MAPS, 400),
        (Some("text/html"), b"{}", MAPS, 415),
        (Some("application/json"), b"{\"metadata\":{\"name\":1}}", MAPS, 400),
        (Some("application/json"), b"{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}", MAPS, 400),
        (Some("application/json"), b"{}", "/api/v1/namespaces/default/nothings", 404),
        (Some("application/json"), b"{}", "/apis/no.group/v1/things", 404),
        (Some("application/json"), &vec![b' '; (3 << 20) + 1], MAPS, 413),
    ];
    for (content, body, path, status) in table {
        assert_eq!(raw(content, body, path), status, "{content:?} {:?}", &body[..body.len().min(40)]);
    }
    let mut request = yard.request(Get, MAPS, &Value::Null);
    request.accept = Some("text/html".to_owned());
    assert_eq!(yard.answer(&request).status, 406);
    assert_eq!(yard.patch("text/plain", &format!("{MAPS}/a"), json!({})).0, 415);
    yard.ok(405, Post, &format!("{MAPS}/a"), map("a", "1"));
    let strict = json!({"metadata": {"name": "a"}, "bogus": 1});
    yard.ok(400, Post, &format!("{MAPS}?fieldValidation=Strict"), strict.clone());
    let request = yard.request(Post, MAPS, &strict);
    let answer = yard.answer(&request);
    assert_eq!(answer.headers, [("warning", "299 - \"unknown field \\\"bogus\\\"\"".to_owned())]);
}
