//! The OpenAPI v3 document of custom resources: enough for kubectl to find the kind, its schema, and that its patches
//! are checked by the server.

use super::openapi::published_definitions;
use crate::Kind;
use serde_json::{Map, Value, json};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
/// A small built-in document that has the definitions of metadata, lists and deletes.
const META_SOURCE: &str = "apis/coordination.k8s.io/v1";

/// The document with `kind` added; `before` is the one there was for this group and version.
pub fn document(before: Option<Value>, kind: &Kind, published: Value) -> Value {
    let mut document = before.unwrap_or_else(|| {
        json!({"openapi": "3.0.0", "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"}, "paths": {},
            "components": {"schemas": meta_definitions()}})
    });
    for (path, operations) in paths(kind) {
        document["paths"][path] = operations;
    }
    let (name, list_name) = (definition_name(kind), format!("{}List", definition_name(kind)));
    document["components"]["schemas"][name] = object_definition(kind, published);
    document["components"]["schemas"][list_name] = list_definition(kind);
    document
}

/// The document without `kind`; `None` when nothing is left.
pub fn without(mut document: Value, kind: &Kind) -> Option<Value> {
    let gone = paths(kind);
    let rest = document["paths"].as_object_mut()?;
    rest.retain(|path, _| !gone.contains_key(path));
    if rest.is_empty() {
        return None;
    }
    let name = definition_name(kind);
    document["components"]["schemas"].as_object_mut()?.retain(|key, _| *key != name && *key != format!("{name}List"));
    Some(document)
}

/// `dev.emberyard.v1alpha1.Notebook`.
fn definition_name(kind: &Kind) -> String {
    let mut parts: Vec<&str> = kind.gvk.group.split('.').rev().collect();
    parts.extend([kind.gvk.version.as_str(), kind.gvk.kind.as_str()]);
    parts.join(".")
}

fn meta_definitions() -> Value {
    let mut definitions = published_definitions(META_SOURCE);
    if let Some(map) = definitions.as_object_mut() {
        map.retain(|name, _| !name.starts_with("io.k8s.api."));
    }
    definitions
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn object_definition(kind: &Kind, mut published: Value) -> Value {
    if !published.is_object() {
        published = json!({"type": "object"});
    }
    published["properties"]["apiVersion"] = json!({"type": "string"});
    published["properties"]["kind"] = json!({"type": "string"});
    published["properties"]["metadata"] = json!({"allOf": [reference(&format!("{META}.ObjectMeta"))]});
    published["x-kubernetes-group-version-kind"] = json!([kind.gvk]);
    published
}

fn list_definition(kind: &Kind) -> Value {
    json!({"type": "object", "required": ["items"],
        "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"},
            "metadata": {"allOf": [reference(&format!("{META}.ListMeta"))]},
            "items": {"type": "array", "items": reference(&definition_name(kind))}},
        "x-kubernetes-group-version-kind": [{"group": kind.gvk.group, "version": kind.gvk.version,
            "kind": kind.list_kind}]})
}

fn paths(kind: &Kind) -> Map<String, Value> {
    let mut paths = Map::new();
    let namespace = kind.namespaced.then_some("{namespace}");
    let collection = kind.gvr.path(namespace, None);
    let object = kind.gvr.path(namespace, Some("{name}"));
    let name = definition_name(kind);
    let list_name = format!("{name}List");
    let item = json!({
        "get": operation(kind, "get", &[], None, &name),
        "put": operation(kind, "put", WRITE, Some(&name), &name),
        "patch": patch_operation(kind, &name),
        "delete": operation(kind, "delete", DELETE, Some(&format!("{META}.DeleteOptions")), &format!("{META}.Status")),
        "parameters": parameters(namespace.is_some(), true),
    });
    if kind.has_status_subresource() {
        let mut status = item.clone();
        if let Some(operations) = status.as_object_mut() {
            operations.remove("delete");
        }
        paths.insert(format!("{object}/status"), status);
    }
    paths.insert(object, item);
    if namespace.is_some() {
        let all = json!({"get": operation(kind, "list", LIST, None, &list_name), "parameters": []});
        paths.insert(kind.gvr.path(None, None), all);
    }
    paths.insert(
        collection,
        json!({
            "get": operation(kind, "list", LIST, None, &list_name),
            "post": operation(kind, "post", WRITE, Some(&name), &name),
            "delete": operation(kind, "deletecollection", LIST, Some(&format!("{META}.DeleteOptions")), &format!("{META}.Status")),
            "parameters": parameters(namespace.is_some(), false),
        }),
    );
    paths
}

const WRITE: &[(&str, &str)] = &[("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")];
const DELETE: &[(&str, &str)] = &[
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
];
const LIST: &[(&str, &str)] = &[
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
];

fn query(parameters: &[(&str, &str)]) -> Vec<Value> {
    let one = |(name, type_): &(&str, &str)| json!({"in": "query", "name": name, "schema": {"type": type_, "uniqueItems": true}});
    parameters.iter().map(one).collect()
}

fn parameters(namespaced: bool, named: bool) -> Vec<Value> {
    let one = |name: &str| json!({"in": "path", "name": name, "required": true, "schema": {"type": "string", "uniqueItems": true}});
    [(named, "name"), (namespaced, "namespace")].iter().filter(|(has, _)| *has).map(|(_, name)| one(name)).collect()
}

fn operation(kind: &Kind, action: &str, parameters: &[(&str, &str)], body: Option<&str>, answer: &str) -> Value {
    let mut operation = json!({
        "parameters": query(parameters),
        "responses": {"200": {"content": {"application/json": {"schema": reference(answer)}}}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": kind.gvk,
    });
    if let Some(body) = body {
        operation["requestBody"] = json!({"content": {"*/*": {"schema": reference(body)}}});
    }
    operation
}

fn patch_operation(kind: &Kind, name: &str) -> Value {
    let mut patch = operation(kind, "patch", &[WRITE, &[("force", "boolean")]].concat(), None, name);
    let body = json!({"schema": reference(&format!("{META}.Patch"))});
    patch["requestBody"] = json!({"required": true, "content": {"application/apply-patch+yaml": body,
        "application/json-patch+json": body, "application/merge-patch+json": body}});
    patch
}
