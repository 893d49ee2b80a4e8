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
            ours["message"] = body["message"].clone();
            ours["causes"] = body["details"]["causes"].clone();
        }
        if ours != entry["answer"] {
            wrong.push(format!("{}\n  ours   {ours}\n  theirs {}", entry["body"], entry["answer"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
