//! Server-side apply and field ownership through the request path.

use crate::yard::Yard;
use serde_json::{Value, json};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const APPLY: &str = "application/apply-patch+yaml";

fn config(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})
}

#[test]
fn applied_objects_are_made_merged_and_given_up() {
    let mut yard = Yard::new();
    let path = format!("{MAPS}/a");
    assert_eq!(yard.patch(APPLY, &path, config(json!({"k": "1"}))).0, 400, "a manager must be named");
    let by = |manager: &str, force: bool| format!("{path}?fieldManager={manager}&force={force}");
    let (status, made) = yard.patch(APPLY, &by("one", false), config(json!({"k": "1"})));
    assert_eq!(status, 201);
    assert_eq!(made["metadata"]["managedFields"][0]["manager"], "one");
    let (status, same) = yard.patch(APPLY, &by("one", false), config(json!({"k": "1"})));
    assert_eq!((status, &same["metadata"]["resourceVersion"]), (200, &made["metadata"]["resourceVersion"]));
    let (status, refused) = yard.patch(APPLY, &by("two", false), config(json!({"k": "2"})));
    assert_eq!(status, 409);
    assert_eq!(refused["details"]["causes"][0]["field"], ".data.k");
    let (status, forced) = yard.patch(APPLY, &by("two", true), config(json!({"k": "2", "l": "3"})));
    assert_eq!((status, &forced["data"]), (200, &json!({"k": "2", "l": "3"})));
    let (status, less) = yard.patch(APPLY, &by("two", false), config(json!({"k": "2"})));
    assert_eq!((status, &less["data"]), (200, &json!({"k": "2"})));
}

#[test]
fn plain_writes_own_fields_too() {
    let mut yard = Yard::new();
    yard.post(MAPS, config(json!({"k": "1"})));
    let live = yard.get(&format!("{MAPS}/a"));
    let entry = &live["metadata"]["managedFields"][0];
    assert_eq!((&entry["manager"], &entry["operation"]), (&json!("test"), &json!("Update")));
    let (status, refused) = yard.patch(APPLY, &format!("{MAPS}/a?fieldManager=x"), config(json!({"k": "2"})));
    assert_eq!((status, &refused["reason"]), (409, &json!("Conflict")));
    let (status, _) = yard.patch(APPLY, &format!("{MAPS}/a?fieldManager=x"), config(json!({"k": "1"})));
    assert_eq!(status, 200);
}

#[test]
fn what_spark_applies_is_made() {
    let mut yard = Yard::new();
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "driver-svc"},
        "spec": {"clusterIP": "None", "selector": {"a": "b"}, "ports": [{"name": "rpc", "port": 7078, "targetPort": 7078}]}});
    let path = "/api/v1/namespaces/default/services/driver-svc?fieldManager=fabric8&force=true";
    let (status, made) = yard.patch(APPLY, path, service.clone());
    assert_eq!((status, &made["spec"]["clusterIPs"]), (201, &json!(["None"])), "{made}");
    let (status, again) = yard.patch(APPLY, path, service);
    assert_eq!((status, &again["metadata"]["resourceVersion"]), (200, &made["metadata"]["resourceVersion"]), "{again}");
}
