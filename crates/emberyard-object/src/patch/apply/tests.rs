//! Apply as clients use it, and its laws.

use super::*;
use crate::Catalog;
use proptest::prelude::*;
use std::sync::Arc;

const NOW: Timestamp = Timestamp(1_769_860_800_000_000);

fn kind(resource: &str) -> Arc<Kind> {
    Catalog::builtin().find("", "v1", resource).unwrap().clone()
}

fn by(name: &str) -> Manager<'_> {
    Manager { name, subresource: "", api_version: "v1" }
}

fn pod(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"x": "1"}}, "spec": spec})
}

fn without_managers(mut object: Value) -> Value {
    managed::strip(&mut object);
    object
}

#[test]
fn creates_and_names_the_owner() {
    let config = pod(json!({"containers": [{"name": "c", "image": "i", "args": ["1"],
        "ports": [{"containerPort": 80}], "resources": {}}], "tolerations": []}));
    let created = apply(&kind("pods"), None, &config, by("me"), false, NOW).unwrap();
    insta::assert_json_snapshot!(created["metadata"]["managedFields"], @r#"
[
  {
    "apiVersion": "v1",
    "fieldsType": "FieldsV1",
    "fieldsV1": {
      "f:metadata": {
        "f:labels": {
          "f:x": {}
        }
      },
      "f:spec": {
        "f:containers": {
          "k:{\"name\":\"c\"}": {
            ".": {},
            "f:args": {},
            "f:image": {},
            "f:name": {},
            "f:ports": {
              "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                ".": {},
                "f:containerPort": {}
              }
            },
            "f:resources": {}
          }
        },
        "f:tolerations": {}
      }
    },
    "manager": "me",
    "operation": "Apply",
    "time": "2026-01-31T12:00:00Z"
  }
]
"#);
    assert_eq!(without_managers(created.clone()), config);
    let again = apply(&kind("pods"), Some(&created), &config, by("me"), false, Timestamp(0)).unwrap();
    assert_eq!(again, created, "applying the same again changes nothing, not even the time");
}

#[test]
fn takes_away_what_is_no_longer_asked_for() {
    let pods = kind("pods");
    let first = pod(
        json!({"nodeName": "n", "containers": [{"name": "c", "image": "i", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}, {"name": "d"}]}),
    );
    let mut live = apply(&pods, None, &first, by("me"), false, NOW).unwrap();
    live["spec"]["containers"][0]["imagePullPolicy"] = json!("Always");
    live["spec"]["dnsPolicy"] = json!("ClusterFirst");
    let second = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
        "spec": {"containers": [{"name": "c", "image": "j", "env": [{"name": "B", "value": "2"}]}]}});
    let after = apply(&pods, Some(&live), &second, by("me"), false, NOW).unwrap();
    assert_eq!(
        without_managers(after),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"dnsPolicy": "ClusterFirst",
            "containers": [{"name": "c", "image": "j", "env": [{"name": "B", "value": "2"}], "imagePullPolicy": "Always"}]}})
    );
}

#[test]
fn owners_keep_what_they_share() {
    let maps = kind("configmaps");
    let config =
        |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data});
    let one = apply(&maps, None, &config(json!({"x": "1", "y": "1"})), by("one"), false, NOW).unwrap();
    let two = apply(&maps, Some(&one), &config(json!({"x": "1", "z": "1"})), by("two"), false, NOW).unwrap();
    let gone = apply(&maps, Some(&two), &config(json!({"y": "1"})), by("one"), false, NOW).unwrap();
    assert_eq!(gone["data"], json!({"x": "1", "y": "1", "z": "1"}), "two still holds x");
    let all = apply(&maps, Some(&gone), &config(json!({})), by("two"), false, NOW).unwrap();
    assert_eq!(all["data"], json!({"y": "1"}));
}

#[test]
fn conflicts_are_told_and_can_be_forced() {
    let maps = kind("configmaps");
    let config =
        |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data});
    let live = apply(&maps, None, &config(json!({"x": "1", "y": "1"})), by("one"), false, NOW).unwrap();
    let error = apply(&maps, Some(&live), &config(json!({"x": "2"})), by("two"), false, NOW).unwrap_err();
    assert_eq!(
        error,
        ApplyError::Conflict {
            message: "Apply failed with 1 conflict: conflict with \"one\": .data.x".to_owned(),
            causes: vec![Cause {
                reason: "FieldManagerConflict",
                field: ".data.x".to_owned(),
                message: "conflict with \"one\"".to_owned()
            }]
        }
    );
    let error = apply(&maps, Some(&live), &config(json!({"x": "2", "y": "2"})), by("two"), false, NOW).unwrap_err();
    assert_eq!(error.to_string(), "Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.x\n- .data.y");
    let forced = apply(&maps, Some(&live), &config(json!({"x": "2"})), by("two"), true, NOW).unwrap();
    assert_eq!(forced["data"], json!({"x": "2", "y": "1"}));
    let owners: Vec<_> = managed::read(&forced).into_iter().map(|e| (e.manager, e.fields.paths())).collect();
    assert_eq!(
        owners,
        [("one".to_owned(), vec![".data.y".to_owned()]), ("two".to_owned(), vec![".data.x".to_owned()])]
    );
}

#[test]
fn objects_nobody_tracked_belong_to_the_time_before() {
    let maps = kind("configmaps");
    let live =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "u"}, "data": {"x": "1"}});
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "2"}});
    let error = apply(&maps, Some(&live), &config, by("me"), false, NOW).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1 at 2026-01-31T12:00:00Z: .data.x"
    );
    let forced = apply(&maps, Some(&live), &config, by("me"), true, NOW).unwrap();
    assert_eq!((&forced["data"]["x"], &forced["metadata"]["uid"]), (&json!("2"), &json!("u")));
}

#[test]
fn plain_writes_take_over() {
    let maps = kind("configmaps");
    let config =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1", "y": "1"}});
    let live = apply(&maps, None, &config, by("one"), false, NOW).unwrap();
    let mut new = live.clone();
    new["data"]["x"] = json!("2");
    new["data"].as_object_mut().unwrap().remove("y");
    track(&maps, Some(&live), &mut new, by("edit"), NOW);
    let owners: Vec<_> = managed::read(&new).into_iter().map(|e| (e.manager, e.fields.paths())).collect();
    assert_eq!(owners, [("edit".to_owned(), vec![".data.x".to_owned()])]);
    let mut same = new.clone();
    track(&maps, Some(&new), &mut same, by("edit"), Timestamp(0));
    assert_eq!(same, new, "a write that changes nothing leaves no trace");
    let mut forgotten = new.clone();
    forgotten["metadata"]["managedFields"] = json!([{}]);
    track(&maps, Some(&new), &mut forgotten, by("edit"), NOW);
    assert_eq!(forgotten["metadata"].get("managedFields"), None);
}

#[test]
fn keys_have_defaults() {
    let services = kind("services");
    let config = |port: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [port]}});
    let mut live = apply(&services, None, &config(json!({"port": 80, "name": "x"})), by("me"), false, NOW).unwrap();
    live["spec"]["ports"][0]["protocol"] = json!("TCP");
    let after = apply(&services, Some(&live), &config(json!({"port": 80, "name": "y"})), by("me"), false, NOW).unwrap();
    assert_eq!(after["spec"]["ports"], json!([{"port": 80, "name": "y", "protocol": "TCP"}]));
}

#[test]
fn status_has_a_path_of_its_own() {
    let pods = kind("pods");
    let mut config = pod(json!({"nodeName": "n"}));
    config["status"] = json!({"phase": "Running"});
    let created = apply(&pods, None, &config, by("me"), false, NOW).unwrap();
    assert_eq!(created.get("status"), None);
    let manager = Manager { subresource: "status", ..by("agent") };
    let status = apply(&pods, Some(&created), &config, manager, false, NOW).unwrap();
    assert_eq!(status["status"]["phase"], "Running");
    assert!(
        status["metadata"]["managedFields"].as_array().unwrap().iter().any(|entry| entry["subresource"] == "status")
    );
}

#[test]
fn malformed_configurations_are_refused() {
    let table = [
        (json!([]), "an apply configuration must be an object"),
        (json!({"metadata": {"managedFields": [{}]}}), "metadata.managedFields must be nil"),
        (
            pod(json!({"containers": [{"image": "x"}]})),
            "element 0: associative list with keys has an element that omits key field \"name\"",
        ),
        (pod(json!({"containers": [{"name": "x"}, {"name": "x"}]})), "duplicate entries for key {\"name\":\"x\"}"),
        (pod(json!({"containers": [1]})), "element 0: associative list with keys may not have non-map elements"),
    ];
    for (config, wanted) in table {
        let error = apply(&kind("pods"), None, &config, by("me"), true, NOW).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
}

fn any_spec() -> impl Strategy<Value = Value> {
    let env = prop::collection::btree_map("[A-C]", "[0-2]", 0..3);
    let container = (prop::option::of("[i-k]"), env).prop_map(|(image, env)| {
        let env: Vec<Value> = env.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let mut container = json!({"env": env});
        if let Some(image) = image {
            container["image"] = json!(image);
        }
        container
    });
    let labels = prop::collection::btree_map("[a-c]", "[0-2]", 0..3);
    (prop::collection::btree_map("[x-z]", container, 0..3), labels).prop_map(|(containers, labels)| {
        let containers: Vec<Value> = containers
            .into_iter()
            .map(|(name, mut container)| {
                container["name"] = json!(name);
                container
            })
            .collect();
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": labels}, "spec": {"containers": containers}})
    })
}

proptest! {
    #[test]
    fn field_sets_go_to_json_and_back(spec in any_spec()) {
        let set = diff::fields_of(&spec, &kind("pods").schema).unwrap();
        let back = FieldSet { owned: false, ..FieldSet::from_json(&set.to_json()) };
        prop_assert_eq!(&back, &set);
        prop_assert!(set.minus(&set).is_empty());
        prop_assert_eq!(set.common(&set), set);
    }

    #[test]
    fn the_last_configuration_of_a_sole_owner_is_the_object(configs in prop::collection::vec(any_spec(), 1..5)) {
        let pods = kind("pods");
        let mut live: Option<Value> = None;
        for config in &configs {
            live = Some(apply(&pods, live.as_ref(), config, by("me"), false, NOW).unwrap());
        }
        let last = configs.last().unwrap();
        let fields = |object: &Value| diff::fields_of(&without_managers(object.clone()), &pods.schema).unwrap();
        let change = diff::between(last, &without_managers(live.clone().unwrap()), &pods.schema);
        prop_assert!(change.modified.is_empty(), "{:?}", change.modified.paths());
        prop_assert!(fields(last).minus(&fields(live.as_ref().unwrap())).is_empty());
        prop_assert!(change.added.paths().iter().all(|path| path.ends_with("labels") || path.ends_with("env") || path.ends_with("containers")), "{:?}", change.added.paths());
    }

    #[test]
    fn forcing_gets_what_it_asks_for(first in any_spec(), second in any_spec()) {
        let pods = kind("pods");
        let live = apply(&pods, None, &first, by("one"), false, NOW).unwrap();
        let after = apply(&pods, Some(&live), &second, by("two"), true, NOW).unwrap();
        let change = diff::between(&second, &without_managers(after.clone()), &pods.schema);
        prop_assert!(change.modified.is_empty() && change.removed.is_empty());
        let again = apply(&pods, Some(&after), &second, by("two"), false, NOW).unwrap();
        prop_assert_eq!(&again, &after);
    }
}
