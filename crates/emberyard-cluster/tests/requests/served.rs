//! What the server says of itself, and custom kinds.

use crate::yard::Yard;
use emberyard_cluster::Method::{Delete, Get, Patch, Post, Put};
use serde_json::{Value, json};

#[test]
fn discovery_and_health() {
    let mut yard = Yard::new();
    assert_eq!(yard.get("/version")["gitVersion"], "v1.35.4+emberyard");
    assert_eq!(yard.get("/api")["kind"], "APIVersions");
    assert_eq!(yard.get("/apis")["kind"], "APIGroupList");
    assert_eq!(yard.get("/apis/storage.k8s.io")["kind"], "APIGroup");
    assert_eq!(yard.get("/api/v1")["kind"], "APIResourceList");
    assert_eq!(yard.get("/apis/storage.k8s.io/v1")["groupVersion"], "storage.k8s.io/v1");
    yard.ok(404, Get, "/apis/nope", Value::Null);
    assert!(yard.get("/openapi/v3")["paths"]["api/v1"]["serverRelativeURL"].is_string());
    assert!(yard.get("/openapi/v3/api/v1")["paths"].is_object());
    let mut request = yard.request(Get, "/apis", &Value::Null);
    request.accept =
        Some("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json".to_owned());
    let answer = yard.answer(&request);
    assert_eq!(answer.content_type, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    for path in ["/healthz", "/livez", "/readyz", "/readyz?verbose", "/metrics"] {
        let request = yard.request(Get, path, &Value::Null);
        let answer = yard.answer(&request);
        assert_eq!(answer.status, 200);
        assert!(answer.content_type.starts_with("text/plain"));
    }
    let lost = yard.ok(404, Get, "/nowhere", Value::Null);
    assert_eq!(lost["message"], "the server could not find the requested resource");
}

fn definition() -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "required": ["size"], "properties": {
                        "size": {"type": "integer", "minimum": 1}, "color": {"type": "string", "default": "red"}}},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}]}})
}

#[test]
fn custom_kinds_come_and_go() {
    let mut yard = Yard::new();
    let widgets = "/apis/example.com/v1/namespaces/default/widgets";
    yard.ok(404, Get, widgets, Value::Null);
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let made = yard.post(crds, definition());
    assert_eq!(made["status"]["acceptedNames"]["listKind"], "WidgetList");
    assert_eq!(made["status"]["conditions"][1]["type"], "Established");
    assert_eq!(yard.get(widgets)["kind"], "WidgetList");
    yard.ok(422, Post, widgets, json!({"metadata": {"name": "w"}, "spec": {"size": 0}}));
    yard.ok(422, Post, widgets, json!({"metadata": {"name": "w"}, "spec": {}}));
    let widget = yard.post(widgets, json!({"metadata": {"name": "w"}, "spec": {"size": 1, "bogus": 2}}));
    assert_eq!(widget["metadata"]["generation"], 1);
    assert_eq!(widget["spec"].get("bogus"), None);
    let path = format!("{widgets}/w");
    let updated = yard.ok(200, Patch, &path, json!({"spec": {"size": 2}, "status": {"a": 1}}));
    assert_eq!((&updated["metadata"]["generation"], updated.get("status")), (&json!(2), None));
    let with_status = yard.ok(200, Patch, &format!("{path}/status"), json!({"spec": {"size": 3}, "status": {"a": 1}}));
    assert_eq!((&with_status["spec"]["size"], &with_status["status"]["a"]), (&json!(2), &json!(1)));
    assert_eq!(with_status["metadata"]["generation"], 2);
    let mut without = with_status.clone();
    without["metadata"]["resourceVersion"] = Value::Null;
    yard.ok(422, Put, &path, without);
    assert_eq!(yard.patch("application/strategic-merge-patch+json", &path, json!({})).0, 415);
    let mut twice = definition();
    twice["metadata"]["name"] = json!("other.example.com");
    yard.ok(422, Post, crds, twice);
    let mut builtin = definition();
    builtin["metadata"]["name"] = json!("widgets.storage.k8s.io");
    builtin["spec"]["group"] = json!("storage.k8s.io");
    yard.ok(422, Post, crds, builtin);
    let mut watch = yard.watch(&format!("{widgets}?watch=true"));
    yard.ok(200, Delete, &format!("{crds}/widgets.example.com"), Value::Null);
    yard.ok(404, Get, widgets, Value::Null);
    let told = yard.poll(&mut watch);
    assert!(told[0].starts_with("ADDED w@") && told[1].starts_with("DELETED w@"), "{told:?}");
    yard.post(crds, definition());
    assert_eq!(yard.get(widgets)["items"], json!([]));
}

#[test]
fn definitions_are_applied() {
    let mut yard = Yard::new();
    let path =
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com?fieldManager=operator&force=true";
    let apply = "application/apply-patch+yaml";
    let (status, made) = yard.patch(apply, path, definition());
    assert_eq!(status, 201, "{made}");
    let (status, same) = yard.patch(apply, path, definition());
    assert_eq!((status, &same["metadata"]["resourceVersion"]), (200, &made["metadata"]["resourceVersion"]));
    let mut more = definition();
    more["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["tall"] =
        json!({"type": "boolean"});
    assert_eq!(yard.patch(apply, path, more).0, 200);
    let widgets = "/apis/example.com/v1/namespaces/default/widgets";
    let widget = yard.post(widgets, json!({"metadata": {"name": "w"}, "spec": {"size": 1, "tall": true}}));
    assert_eq!((&widget["spec"]["tall"], &widget["spec"]["color"]), (&json!(true), &json!("red")));
}

#[test]
fn tables_are_made() {
    let mut yard = Yard::new();
    yard.pod("a");
    let pods = "/api/v1/namespaces/default/pods";
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    for (path, rows) in [(pods.to_owned(), 1), (format!("{pods}/a"), 1), (format!("{pods}?labelSelector=none"), 0)] {
        let mut request = yard.request(Get, &path, &Value::Null);
        request.accept = Some(table.to_owned());
        let body: Value = serde_json::from_slice(&yard.answer(&request).body).unwrap();
        assert_eq!(body["kind"], "Table");
        assert_eq!(body["columnDefinitions"][0]["name"], "Name");
        assert_eq!(body["rows"].as_array().map(Vec::len), Some(rows), "{path}");
        assert!(body["metadata"]["resourceVersion"].is_string());
    }
    let mut request = yard.request(Get, &format!("{pods}?watch=true"), &Value::Null);
    request.accept = Some(table.to_owned());
    let emberyard_cluster::Reply::Watch(mut start) = yard.reply(&request) else { panic!("no watch") };
    yard.pod("b");
    let frames = yard.frames(&mut start.cursor);
    assert!(frames[0]["object"]["columnDefinitions"].is_array());
    let later = &frames[1]["object"]["columnDefinitions"];
    assert!(later.is_null() || later == &json!([]), "columns come once: {later}");
    assert_eq!(frames[1]["object"]["rows"][0]["cells"][0], "b");
}

#[test]
fn bootstrap_is_repeatable() {
    let mut yard = Yard::new();
    let kubernetes = yard.get("/api/v1/namespaces/default/services/kubernetes");
    assert_eq!(kubernetes["spec"]["clusterIP"], "10.96.0.1");
    assert_eq!(yard.get("/api/v1/namespaces/kube-system/services/kube-dns")["spec"]["clusterIP"], "10.96.0.10");
    let slice = yard.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes");
    assert_eq!(slice["endpoints"][0]["addresses"], json!(["10.41.0.1"]));
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        yard.get(&format!("/api/v1/namespaces/{name}"));
    }
    yard.get("/apis/storage.k8s.io/v1/storageclasses/local");
    yard.get("/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical");
    yard.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:kube-scheduler");
    let (before, now, mut seed) = (yard.server.revision(), yard.now, yard.seed);
    let records = yard.server.bootstrap(now, &mut |out: &mut [u8]| crate::yard::fill(&mut seed, out));
    assert!(records.is_empty(), "{records:?}");
    assert_eq!(yard.server.revision(), before);
}

#[test]
fn claims_get_the_default_class() {
    let mut yard = Yard::new();
    let claim = yard.post(
        "/api/v1/namespaces/default/persistentvolumeclaims",
        json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
    );
    assert_eq!(claim["spec"]["storageClassName"], "local");
    assert_eq!(claim["status"]["phase"], "Pending");
    assert_eq!(claim["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
}

#[test]
fn events_are_one_kind_with_two_names() {
    let mut yard = Yard::new();
    yard.post(
        "/api/v1/namespaces/default/events",
        json!({"metadata": {"name": "e"}, "involvedObject": {"namespace": "default", "name": "p", "kind": "Pod"}, "message": "m", "reason": "R"}),
    );
    let other = yard.get("/apis/events.k8s.io/v1/namespaces/default/events/e");
    assert_eq!((&other["apiVersion"], &other["note"]), (&json!("events.k8s.io/v1"), &json!("m")));
    let list = yard.get("/apis/events.k8s.io/v1/namespaces/default/events");
    assert_eq!(list["items"][0]["regarding"]["name"], "p");
    yard.now = yard.now.plus(std::time::Duration::from_secs(3601));
    let event = json!({"metadata": {"name": "f"}, "involvedObject": {"namespace": "default"}, "lastTimestamp": yard.now.rfc3339()});
    yard.post("/api/v1/namespaces/default/events", event);
    let list = yard.get("/api/v1/namespaces/default/events");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "events are kept for an hour");
}
