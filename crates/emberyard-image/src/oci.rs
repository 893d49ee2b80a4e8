//! The documents of an OCI image layout (image-spec 1.1): index, manifest, config.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Media type of an image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of a config.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of an unpacked layer.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// Media type of a gzipped layer.
pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Annotation with an image's name.
pub const NAME: &str = "org.opencontainers.image.ref.name";
/// The file that says that a folder is a layout.
pub const LAYOUT: &str = "{\"imageLayoutVersion\":\"1.0.0\"}";

/// Points at a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// `sha256:…` of it.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// Notes, among them the name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// All images of a layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// [`INDEX`].
    #[serde(default)]
    pub media_type: String,
    /// The images.
    pub manifests: Vec<Descriptor>,
}

/// One image: its config and layers, base first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// [`MANIFEST`].
    #[serde(default)]
    pub media_type: String,
    /// The config.
    pub config: Descriptor,
    /// The layers, base first.
    pub layers: Vec<Descriptor>,
}

/// How an image runs and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Architecture in Go's words: `amd64`, `arm64`.
    pub architecture: String,
    /// `linux`.
    pub os: String,
    /// How it runs.
    #[serde(default, rename = "config")]
    pub run: Run,
    /// What it is made of.
    pub rootfs: RootFs,
}

/// How an image runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Run {
    /// `uid[:gid]` or a name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// Program and fixed arguments.
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments.
    pub cmd: Option<Vec<String>>,
    /// Working directory.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Labels.
    pub labels: Option<BTreeMap<String, String>>,
}

/// Layers by the digests of their unpacked tars, base first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `sha256:…`, base first.
    pub diff_ids: Vec<String>,
}

impl Descriptor {
    /// Points at a blob with this content.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        let digest = format!("sha256:{}", crate::digest::sha256(bytes));
        Self { media_type: media_type.to_owned(), digest, size: bytes.len() as u64, annotations: BTreeMap::new() }
    }
}
