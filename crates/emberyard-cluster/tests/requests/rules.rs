//! Our own definitions' rules: what a real API server (1.37.2) answered to the same requests in the same order.

use crate::yard::Yard;
use emberyard_cluster::Method::{Patch, Post};
use serde_json::{Value, json};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

#[test]
fn an_hdfs_that_cant_be_is_refused_as_a_real_server_does() {
    let mut yard = Yard::new();
    yard.post(CRDS, emberyard_model::crd::hdfs_cluster());
    let recorded: Value = serde_json::from_str(include_str!("real-rules.json")).unwrap();
    let mut wrong = Vec::new();
    for entry in recorded.as_array().unwrap() {
        let method = if entry["method"] == "POST" { Post } else { Patch };
        let (status, body) = yard.call(method, entry["path"].as_str().unwrap(), entry["body"].clone());
        let mut ours = json!({"status": status});
        if status >= 300 {
            // Upstream looks at properties in an order of its own each time.
            let mut causes = body["details"]["causes"].as_array().cloned().unwrap_or_default();
            causes.sort_by_key(|cause| (cause["field"].to_string(), cause["message"].to_string()));
            ours["causes"] = causes.into();
        }
        if ours != entry["answer"] {
            wrong.push(format!("{}\n  ours   {ours}\n  theirs {}", entry["body"], entry["answer"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_size_that_is_none_is_refused() {
    let mut yard = Yard::new();
    yard.post(CRDS, emberyard_model::crd::hdfs_cluster());
    let path = "/apis/emberyard.dev/v1alpha1/namespaces/default/hdfsclusters";
    let answer =
        yard.ok(422, Post, path, json!({"metadata": {"name": "a"}, "spec": {"storage": {"dataNode": "lots"}}}));
    // The words of what went wrong in an expression are its evaluator's.
    assert_eq!(answer["details"]["causes"][0]["field"], "spec.storage.dataNode");
    assert!(answer["message"].as_str().unwrap().contains("evaluating rule: EY-HDF-004"), "{answer}");
}

#[test]
fn a_definition_with_a_rule_that_cant_be_read_is_refused() {
    let mut yard = Yard::new();
    let mut definition = emberyard_model::crd::hdfs_cluster();
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["spec"]["x-kubernetes-validations"][0]["rule"] = json!("self.(");
    let answer = yard.ok(422, Post, CRDS, definition);
    let message = answer["message"].as_str().unwrap();
    let place = "openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule";
    assert!(message.contains(place) && message.contains("self.("), "{message}");
}
