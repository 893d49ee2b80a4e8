//! Defaults against the answers of a real server (kube-apiserver 1.37.2, `dryRun=All`).

use super::*;
use crate::Catalog;
use crate::schema::{FieldValidation, decode};

/// `[{post, body, answer}…]`: the bodies that server was given and what it made of them.
const ANSWERS: &str = include_str!("../../tests/data/defaults.json");

/// What admission, allocation and the clock add.
fn without_admission(object: &mut Value) {
    let meta = object["metadata"].as_object_mut().unwrap();
    meta.retain(|key, _| {
        !matches!(key.as_str(), "uid" | "creationTimestamp" | "generation" | "finalizers" | "namespace")
    });
    if meta.contains_key("generateName") {
        meta.remove("name");
    }
    meta.remove("resourceVersion");
    let kind = object["kind"].as_str().unwrap().to_owned();
    if kind == "Job" {
        // What the selector is made of: the job's uid.
        object["metadata"].as_object_mut().unwrap().remove("labels");
        object["spec"].as_object_mut().unwrap().remove("selector");
        if let Some(meta) = object["spec"]["template"]["metadata"].as_object_mut() {
            meta.remove("labels");
        }
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        status.retain(|key, _| {
            !matches!(key.as_str(), "qosClass" | "lastPhaseTransitionTime" | "conditions" | "storedVersions")
        });
    }
    let nulls: Vec<String> =
        object.as_object().unwrap().iter().filter(|(_, v)| v.is_null()).map(|(k, _)| k.clone()).collect();
    for key in nulls {
        object.as_object_mut().unwrap().remove(&key);
    }
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    match kind.as_str() {
        "Pod" => {
            for key in ["priority", "preemptionPolicy", "serviceAccount", "serviceAccountName"] {
                spec.remove(key);
            }
            let no_access = |list: &mut Value| {
                let list = list.as_array_mut().unwrap();
                list.retain(|item| !item["name"].as_str().unwrap_or("").starts_with("kube-api-access-"));
                list.is_empty()
            };
            for list in ["containers", "initContainers"] {
                for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                    if container.get_mut("volumeMounts").is_some_and(no_access) {
                        container.as_object_mut().unwrap().remove("volumeMounts");
                    }
                }
            }
            if spec.get_mut("volumes").is_some_and(no_access) {
                spec.remove("volumes");
            }
            let own = |item: &Value| !item["key"].as_str().unwrap_or("").starts_with("node.kubernetes.io/");
            if let Some(Value::Array(list)) = spec.get_mut("tolerations") {
                list.retain(own);
                if list.is_empty() {
                    spec.remove("tolerations");
                }
            }
        }
        "Service" => {
            let headless = spec.get("clusterIP") == Some(&json!("None"));
            spec.remove("clusterIPs");
            if !headless {
                spec.remove("clusterIP");
            }
            for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                port.as_object_mut().unwrap().remove("nodePort");
            }
        }
        "Node" => drop(spec.remove("taints")),
        _ => {}
    }
}

#[test]
fn defaults_are_those_of_a_real_server() {
    let catalog = Catalog::builtin();
    let cases: Vec<Value> = serde_json::from_str(ANSWERS).unwrap();
    assert!(cases.len() >= 25);
    for case in cases {
        let gvk = crate::Gvk::of(&case["body"]).unwrap();
        let kind = catalog.kind(&gvk).unwrap();
        let mut object = decode(kind, case["body"].clone(), &[], FieldValidation::Strict).unwrap().value;
        apply(kind, &mut object);
        let once = object.clone();
        apply(kind, &mut object);
        assert_eq!(object, once, "defaulting twice changes something");
        let mut wanted = case["answer"].clone();
        without_admission(&mut object);
        without_admission(&mut wanted);
        assert_eq!(object, wanted, "{}", case["body"]);
    }
}

#[test]
fn a_service_account_has_two_names() {
    let catalog = Catalog::builtin();
    let kind = catalog.find("", "v1", "pods").unwrap();
    for key in ["serviceAccount", "serviceAccountName"] {
        let mut pod = json!({"metadata": {}, "spec": {key: "a", "containers": []}});
        apply(kind, &mut pod);
        assert_eq!((&pod["spec"]["serviceAccount"], &pod["spec"]["serviceAccountName"]), (&json!("a"), &json!("a")));
    }
}

#[test]
fn custom_resources_take_what_their_schema_says() {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "default": {}, "properties": {
        "size": {"type": "integer", "default": 3}, "list": {"type": "array", "items": {"type": "object",
            "properties": {"on": {"type": "boolean", "default": false}}}}}}}});
    let crd = json!({"spec": {"group": "e.dev", "names": {"plural": "things", "kind": "Thing"}, "scope": "Namespaced",
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}});
    let catalog = Catalog::builtin().with_crd(&crd).unwrap();
    let kind = catalog.find("e.dev", "v1", "things").unwrap();
    let mut thing = json!({});
    apply(kind, &mut thing);
    assert_eq!(thing, json!({"spec": {"size": 3}}));
    let mut thing = json!({"spec": {"size": 1, "list": [{}]}});
    apply(kind, &mut thing);
    assert_eq!(thing, json!({"spec": {"size": 1, "list": [{"on": false}]}}));
}
