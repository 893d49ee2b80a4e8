//! What an image is to those who run it: an identity, layers as folders, and how to start it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Identity of an image by its content: `sha256:` and 64 hex digits (the digest of its config blob, as in OCI).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageId(pub String);

impl std::fmt::Display for ImageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The user a container of this image runs as, if the pod names none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageUser {
    /// Numeric user id inside the container.
    pub uid: u32,
    /// Numeric group id inside the container.
    pub gid: u32,
    /// Name in the image's /etc/passwd.
    pub name: String,
    /// Home folder inside the container.
    pub home: String,
}

/// How a container of this image starts (the part of the OCI image config that a kubelet reads).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// Environment, before the pod's own.
    pub env: BTreeMap<String, String>,
    /// Program and fixed arguments; the pod's `command` replaces it.
    pub entrypoint: Vec<String>,
    /// Default arguments; the pod's `args` replace them.
    pub cmd: Vec<String>,
    /// Default user.
    pub user: ImageUser,
    /// Working directory.
    pub workdir: String,
    /// Labels, among them the versions of what is inside (`dev.emberyard.spark`).
    pub labels: BTreeMap<String, String>,
}

/// An image reference found in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Identity of what runs.
    pub id: ImageId,
    /// The reference as it was asked.
    pub reference: String,
    /// The store's own name of what runs, for example `spark-py`.
    pub name: String,
    /// Set where a foreign name was asked: what to say aloud.
    pub alias: Option<AliasSaid>,
    /// Folders for overlay's `lowerdir`, topmost first.
    pub lowers: Vec<PathBuf>,
    /// How to start it.
    pub config: ImageConfig,
}

/// A foreign name that one of ours answers to, and the sentence for the pod's Event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasSaid {
    /// The name asked.
    pub asked: String,
    /// The name that runs.
    pub runs: String,
    /// For example "kublr/spark-py:2.4.0-hadoop-2.6 is spark-py here: Spark 4.3.0 runs, 2.4.0 was asked".
    pub note: String,
}

/// A line of `image list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSummary {
    /// Name in the store.
    pub name: String,
    /// Identity.
    pub id: ImageId,
    /// Bytes of all layers on disk; layers shared with other images count in each.
    pub bytes: u64,
    /// Layer identities, base first.
    pub layers: Vec<String>,
    /// Versions of what is inside (labels `dev.emberyard.*` without the prefix).
    pub contents: BTreeMap<String, String>,
}
