//! The catalog against what a client asks.

use super::*;
use serde_json::json;

fn notebook_crd() -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "notebooks.emberyard.dev"},
        "spec": {"group": "emberyard.dev", "scope": "Namespaced",
            "names": {"plural": "notebooks", "kind": "Notebook", "shortNames": ["nb"]},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "Phase", "type": "string", "jsonPath": ".status.phase"}],
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}]}})
}

#[test]
fn finds_kinds() {
    let catalog = Catalog::builtin();
    let pods = catalog.find("", "v1", "pods").unwrap();
    assert_eq!(pods.gvk, Gvk::core("Pod"));
    assert!(pods.namespaced && pods.has_status_subresource() && pods.delete_answers_object && pods.has_generation);
    assert_eq!(pods.subresource("eviction").unwrap().kind, Gvk::new("policy", "v1", "Eviction"));
    assert_eq!(pods.columns.first().unwrap().name, "Name");
    assert!(!catalog.find("", "v1", "configmaps").unwrap().delete_answers_object);
    assert!(!catalog.find("authorization.k8s.io", "v1", "selfsubjectaccessreviews").unwrap().is_stored());
    let events = catalog.find("events.k8s.io", "v1", "events").unwrap();
    assert_eq!(events.stored_as, crate::Gvr::core("events"));
    assert!(catalog.serves("storage.k8s.io", "v1") && !catalog.serves("storage.k8s.io", "v2"));
    for kind in catalog.kinds() {
        assert!(kind.schema.as_object().is_some(), "{} has no schema", kind.gvk);
        assert!(!kind.is_stored() || !kind.columns.is_empty(), "{} has no columns", kind.gvk);
    }
}

#[test]
fn discovery_has_both_forms() {
    let catalog = Catalog::builtin();
    let core = catalog.discovery_v2_core();
    assert_eq!(core["items"][0]["versions"][0]["version"], "v1");
    let resources = core["items"][0]["versions"][0]["resources"].as_array().unwrap();
    let mut pods = resources.iter().find(|resource| resource["resource"] == "pods").unwrap().clone();
    let subresources = pods.as_object_mut().unwrap().remove("subresources").unwrap();
    assert_eq!(
        pods,
        json!({"resource": "pods", "responseKind": {"group": "", "version": "", "kind": "Pod"}, "scope": "Namespaced",
            "singularResource": "pod", "shortNames": ["po"], "categories": ["all"],
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]})
    );
    assert!(subresources.as_array().unwrap().contains(&json!({"subresource": "eviction", "verbs": ["create"],
        "responseKind": {"group": "policy", "version": "v1", "kind": "Eviction"}})));
    assert_eq!(catalog.api_versions()["versions"], json!(["v1"]));
    let groups = catalog.api_group_list();
    assert!(groups["groups"].as_array().unwrap().iter().all(|group| group.get("kind").is_none()));
    let rbac = catalog.api_resource_list("rbac.authorization.k8s.io", "v1").unwrap();
    assert_eq!(rbac["resources"].as_array().unwrap().len(), 4);
    assert_eq!(catalog.api_resource_list("autoscaling", "v2"), None);
    assert_eq!(catalog.api_group("autoscaling"), None);
    let apps = catalog.api_resource_list("apps", "v1").unwrap();
    let scale = apps["resources"].as_array().unwrap().iter().find(|r| r["name"] == "statefulsets/scale").unwrap();
    assert_eq!(
        (&scale["group"], &scale["version"], &scale["kind"]),
        (&json!("autoscaling"), &json!("v1"), &json!("Scale"))
    );
    let core_list = catalog.api_resource_list("", "v1").unwrap();
    let eviction = core_list["resources"].as_array().unwrap().iter().find(|r| r["name"] == "pods/eviction").unwrap();
    assert_eq!((&eviction["group"], &eviction["version"]), (&json!("policy"), &json!("v1")));
}

#[test]
fn openapi_is_published_and_changes_its_hash() {
    let catalog = Catalog::builtin();
    let index = catalog.openapi_v3_index();
    let document = catalog.openapi_v3("api/v1").unwrap();
    let url = index["paths"]["api/v1"]["serverRelativeURL"].as_str().unwrap();
    assert_eq!(url, format!("/openapi/v3/api/v1?hash={}", document.hash));
    for path in index["paths"].as_object().unwrap().keys() {
        let document: Value = serde_json::from_slice(&catalog.openapi_v3(path).unwrap().json()).unwrap();
        assert_eq!(document["openapi"], "3.0.0", "{path}");
        references_resolve(&document, &document["components"]["schemas"]);
    }
    let api: Value = serde_json::from_slice(&document.json()).unwrap();
    let patch = &api["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"];
    assert!(patch["parameters"].as_array().unwrap().iter().any(|p| p["name"] == "fieldValidation"));
    assert!(api["paths"].get("/api/v1/namespaces/{namespace}/replicationcontrollers").is_none());
}

fn references_resolve(value: &Value, schemas: &Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                let name = reference.rsplit('/').next().unwrap();
                assert!(schemas.get(name).is_some(), "{name} is referred to but not there");
            }
            map.values().for_each(|inner| references_resolve(inner, schemas));
        }
        Value::Array(list) => list.iter().for_each(|inner| references_resolve(inner, schemas)),
        _ => {}
    }
}

#[test]
fn custom_resources_come_and_go() {
    let builtin = Catalog::builtin();
    let catalog = builtin.with_crd(&notebook_crd()).unwrap();
    let kind = catalog.find("emberyard.dev", "v1alpha1", "notebooks").unwrap();
    assert_eq!((kind.singular.as_str(), kind.list_kind.as_str()), ("notebook", "NotebookList"));
    assert!(kind.has_status_subresource() && kind.custom && kind.namespaced);
    assert_eq!(kind.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["Name", "Phase"]);
    let groups = catalog.discovery_v2_groups();
    assert!(groups["items"].as_array().unwrap().iter().any(|group| group["metadata"]["name"] == "emberyard.dev"));
    let document: Value =
        serde_json::from_slice(&catalog.openapi_v3("apis/emberyard.dev/v1alpha1").unwrap().json()).unwrap();
    references_resolve(&document, &document["components"]["schemas"]);
    assert!(document["components"]["schemas"].get("dev.emberyard.v1alpha1.Notebook").is_some());

    let again = catalog.with_crd(&notebook_crd()).unwrap();
    assert_eq!(again.kinds().count(), catalog.kinds().count());
    let without = again.without_crd("notebooks.emberyard.dev");
    assert_eq!(without.kinds().count(), builtin.kinds().count());
    assert_eq!(without.openapi_v3("apis/emberyard.dev/v1alpha1"), None);

    let mut bad = notebook_crd();
    bad["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["size"]["pattern"] =
        json!("(");
    assert!(builtin.with_crd(&bad).is_err());
    assert_eq!(builtin.with_crd(&json!({})).unwrap_err(), CrdError::Missing("spec.versions"));
}

#[test]
fn versions_are_ordered_as_kubernetes_does() {
    let mut versions = ["v1alpha1", "foo", "v10", "v2beta1", "v2", "v1", "v11alpha2"];
    versions.sort_by_key(|version| std::cmp::Reverse(custom::version_rank(version)));
    assert_eq!(versions, ["v10", "v2", "v1", "v2beta1", "v11alpha2", "v1alpha1", "foo"]);
}

#[test]
fn bootstrap_objects_are_of_served_kinds() {
    let catalog = Catalog::builtin();
    let objects = bootstrap_objects();
    assert!(objects.len() > 100);
    for object in &objects {
        let gvk = Gvk::of(object).unwrap();
        assert!(catalog.kind(&gvk).is_some(), "{gvk}");
    }
}
