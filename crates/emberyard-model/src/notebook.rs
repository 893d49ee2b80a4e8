//! The Notebook: a user's Jupyter server and the Spark driver that lives in it.
//!
//! Written by users (or `emberyard notebook create`), reconciled by the operator, on any cluster.

use crate::quantity::Quantity;
use crate::session::SessionStatus;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// API group of everything that is ours.
pub const GROUP: &str = "emberyard.dev";
/// Version of the Notebook.
pub const VERSION: &str = "v1alpha1";
/// Resource name in paths.
pub const NOTEBOOKS: &str = "notebooks";
/// Kind.
pub const NOTEBOOK_KIND: &str = "Notebook";

/// Label with the notebook's name, on everything that belongs to it.
pub const NOTEBOOK_LABEL: &str = "emberyard.dev/notebook";
/// Port of Jupyter in the notebook's pod.
pub const JUPYTER_PORT: u16 = 8888;
/// Port of the Spark UI's door in the notebook's pod.
pub const DOOR_PORT: u16 = 4039;
/// Key of the token in its secret.
pub const TOKEN_KEY: &str = "token";

/// Path of a notebook behind the gateway, with slashes at both ends.
pub fn base_path(namespace: &str, name: &str) -> String {
    format!("/notebooks/{namespace}/{name}/")
}

/// What the user wants. Everything has a default, so `spec: {}` is a whole notebook.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NotebookSpec {
    /// Image of the Jupyter server and Spark driver; absent: the operator's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Image of the executors; absent: the operator's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor_image: Option<String>,
    /// What the notebook's pod asks for.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: NotebookResources,
    /// The volume at the user's home, which outlives the pod.
    #[serde(skip_serializing_if = "is_default")]
    pub home: HomeVolume,
    /// A folder of the machine that JupyterLab opens on; the session's executors see it at the same path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<Folder>,
    /// Whose it is: the name that its sessions have in HDFS; absent: the operator's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Secret of the same namespace that holds the access token under `token`; absent: one is made (`NAME-token`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<String>,
    /// Further Spark defaults; they win over the operator's, and the user's code wins over them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub spark_defaults: BTreeMap<String, String>,
    /// Whether kernels start their Spark driver's JVM before they are asked for a session; absent: they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_session: Option<bool>,
    /// No pod runs while this is set; home and token stay.
    #[serde(skip_serializing_if = "is_default")]
    pub stopped: bool,
}

/// CPU and memory of the notebook's pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NotebookResources {
    /// CPUs; absent: the operator's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Quantity>,
    /// Bytes of memory for Jupyter, kernels and Spark drivers together; absent: the operator's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantity>,
}

/// The volume at the user's home.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HomeVolume {
    /// Bytes; absent: the operator's default. Can't shrink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Quantity>,
    /// Storage class; absent: the cluster's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
}

/// A folder of the machine, shown at its own path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Folder {
    /// Absolute path, the same on the nodes, in the notebook and in its executors. Nodes must allow it.
    pub path: String,
}

/// Where a notebook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum NotebookPhase {
    /// Not everything is there yet, or the pod is not ready.
    #[default]
    Pending,
    /// Jupyter answers.
    Running,
    /// Stopped on request.
    Stopped,
    /// The spec can't be carried out; the condition says why.
    Invalid,
}

/// What the operator found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NotebookStatus {
    /// Generation of the spec that this status speaks of.
    pub observed_generation: i64,
    /// Where it stands.
    pub phase: NotebookPhase,
    /// Where a browser finds it, without the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The pod's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// The secret that holds the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<String>,
    /// `Ready` and `UpToDate`, as Kubernetes writes conditions.
    pub conditions: Vec<Condition>,
    /// Its Spark sessions.
    pub sessions: Vec<SessionStatus>,
}

/// A condition, as Kubernetes writes them (`metav1.Condition`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Its name.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// A word for machines.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// When `status` last changed, RFC 3339.
    pub last_transition_time: String,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_spec_is_whole_and_stays_empty() {
        let spec: NotebookSpec = serde_json::from_str("{}").unwrap();
        assert_eq!(spec, NotebookSpec::default());
        assert_eq!(serde_json::to_string(&spec).unwrap(), "{}");
    }

    #[test]
    fn reads_a_full_spec() {
        let text = r#"{"image":"a","resources":{"cpu":"500m","memory":"2Gi"},"home":{"size":"1Gi"},"folder":{"path":"/data"},"stopped":true}"#;
        let spec: NotebookSpec = serde_json::from_str(text).unwrap();
        assert_eq!(spec.resources.cpu.map(Quantity::milli), Some(500));
        assert_eq!(serde_json::to_string(&spec).unwrap(), text);
    }
}
