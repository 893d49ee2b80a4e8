//! Custom resource definitions as the API server wants them.
//!
//! Written by hand: ring 0 names no Kubernetes crate, and the schema is small. The golden file
//! `notebook_crd.json` is what the Helm chart will carry.

use crate::notebook::{GROUP, NOTEBOOK_KIND, NOTEBOOKS, VERSION};
use serde_json::{Value, json};

mod hdfs;
mod hdfs_rules;

pub use hdfs::hdfs_cluster;

/// The definition of [`crate::notebook::NotebookSpec`].
pub fn notebook() -> Value {
    let names = json!({
        "kind": NOTEBOOK_KIND, "listKind": "NotebookList", "plural": NOTEBOOKS, "singular": "notebook",
        "shortNames": ["nb"], "categories": ["emberyard"],
    });
    let columns = json!([
        {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
        {"name": "URL", "type": "string", "jsonPath": ".status.url"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]);
    definition(&names, &columns, "A Jupyter server and the Spark driver that lives in it.", &spec(), &status())
}

/// A definition of ours: one version, in namespaces, with a status of its own.
fn definition(names: &Value, columns: &Value, description: &str, spec: &Value, status: &Value) -> Value {
    let plural = names["plural"].as_str().unwrap_or_default();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}")},
        "spec": {
            "group": GROUP,
            "names": names,
            "scope": "Namespaced",
            "versions": [{
                "name": VERSION,
                "served": true,
                "storage": true,
                "subresources": {"status": {}},
                "additionalPrinterColumns": columns,
                "schema": {"openAPIV3Schema": {
                    "description": description,
                    "type": "object",
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {"type": "object"},
                        "spec": spec,
                        "status": status,
                    },
                }},
            }],
        },
    })
}

fn spec() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "properties": {
            "image": text("Image of the Jupyter server and Spark driver; absent: the operator's default."),
            "executorImage": text("Image of the executors; absent: the operator's default."),
            "resources": {
                "type": "object",
                "description": "What the notebook's pod asks for.",
                "properties": {
                    "cpu": quantity("CPUs; absent: the operator's default."),
                    "memory": quantity("Bytes for Jupyter, kernels and Spark drivers together; absent: the operator's default."),
                },
            },
            "home": {
                "type": "object",
                "description": "The volume at the user's home, which outlives the pod.",
                "properties": {
                    "size": quantity("Bytes; absent: the operator's default. Can't shrink."),
                    "storageClass": text("Storage class; absent: the cluster's default."),
                },
            },
            "folder": {
                "type": "object",
                "description": "A folder of the machine that JupyterLab opens on; executors see it at the same path.",
                "required": ["path"],
                "properties": {"path": {
                    "type": "string", "pattern": "^/", "maxLength": 4096,
                    "description": "Absolute path, the same on the nodes, in the notebook and in its executors.",
                }},
            },
            "owner": {
                "type": "string", "pattern": "^[a-z_][-a-z0-9_.]*$", "maxLength": 64,
                "description": "Whose it is: the name that its sessions have in HDFS; absent: the operator's default.",
            },
            "tokenSecret": text("Secret of the same namespace that holds the access token under `token`; absent: one is made."),
            "sparkDefaults": {
                "type": "object",
                "description": "Further Spark defaults; they win over the operator's, and the user's code wins over them.",
                "additionalProperties": {"type": "string"},
            },
            "warmSession": {
                "type": "boolean",
                "description": "Whether kernels start their Spark driver's JVM before they are asked for a session; absent: they do.",
            },
            "stopped": {"type": "boolean", "description": "No pod runs while this is set; home and token stay."},
        },
    })
}

fn status() -> Value {
    json!({
        "type": "object",
        "properties": {
            "observedGeneration": {"type": "integer", "format": "int64"},
            "phase": {"type": "string", "enum": ["Pending", "Running", "Stopped", "Invalid"]},
            "url": {"type": "string"},
            "pod": {"type": "string"},
            "tokenSecret": {"type": "string"},
            "sessions": {
                "type": "array",
                "description": "Its Spark sessions: who works, who waits for what, who ended and why.",
                "items": session(),
            },
            "conditions": conditions(),
        },
    })
}

/// [`crate::Condition`]s, one of each type.
fn conditions() -> Value {
    json!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status"],
            "properties": {
                "type": {"type": "string"},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                "reason": {"type": "string"},
                "message": {"type": "string"},
                "lastTransitionTime": {"type": "string", "format": "date-time"},
            },
        },
    })
}

/// [`crate::SessionStatus`].
fn session() -> Value {
    let list = |properties: Value| json!({"type": "array", "items": {"type": "object", "properties": properties}});
    json!({
        "type": "object",
        "properties": {
            "application": {"type": "string"},
            "since": {"type": "string", "format": "date-time"},
            "running": {"type": "integer", "format": "int64"},
            "waiting": list(json!({
                "pods": {"type": "array", "items": {"type": "string"}},
                "why": {"type": "string"},
                "never": {"type": "boolean"},
                "expected": {"type": "string", "format": "date-time"},
            })),
            "ended": list(json!({
                "pod": {"type": "string"},
                "at": {"type": "string", "format": "date-time"},
                "what": {"type": "string"},
                "cure": {"type": "string"},
            })),
            "hdfs": {
                "type": "object",
                "description": "How much of what its tasks read from HDFS they read on their own node, so far.",
                "properties": {
                    "tasks": {"type": "integer", "format": "int64"},
                    "localTasks": {"type": "integer", "format": "int64"},
                    "bytes": {"type": "integer", "format": "int64"},
                    "localBytes": {"type": "integer", "format": "int64"},
                },
            },
        },
    })
}

/// A quantity may be written as a number or as a text; Kubernetes' own marker says so.
fn quantity(description: &str) -> Value {
    json!({
        "description": description,
        "x-kubernetes-int-or-string": true,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_the_golden_one() {
        insta::assert_json_snapshot!("notebook_crd", super::notebook());
    }
}
