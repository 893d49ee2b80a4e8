//! Volumes. The four kinds that are files made from objects (configMap, secret, downwardAPI, projected) become one.

use super::container::{FieldRef, ResourceFieldRef};
use emberyard_model::Quantity;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A volume of a pod.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Name, unique in the pod.
    pub name: String,
    /// What it is.
    pub kind: VolumeKind,
}

/// What a volume is.
#[derive(Debug, Clone)]
pub enum VolumeKind {
    /// An empty folder that lives as long as the pod.
    EmptyDir {
        /// In memory.
        memory: bool,
        /// Upper limit of its size.
        size_limit: Option<Quantity>,
    },
    /// Files made from objects.
    Files {
        /// Where they come from, in order; later ones win.
        sources: Vec<Projection>,
        /// Mode of files that name none.
        default_mode: u32,
    },
    /// A claimed volume.
    Claim {
        /// The claim.
        name: String,
        /// Read-only.
        read_only: bool,
    },
    /// A folder or file of the node.
    HostPath {
        /// Path on the node.
        path: String,
        /// `DirectoryOrCreate`, `FileOrCreate`, … or empty.
        kind: String,
    },
    /// Something not offered here.
    Unsupported {
        /// The field's name.
        field: String,
    },
}

/// A source of files.
#[derive(Debug, Clone)]
pub enum Projection {
    /// A ConfigMap.
    ConfigMap {
        /// Its name.
        name: String,
        /// Which keys as which files; all if empty.
        items: Vec<FileItem>,
        /// Whether it may be missing.
        optional: bool,
    },
    /// A Secret.
    Secret {
        /// Its name.
        name: String,
        /// Which keys as which files; all if empty.
        items: Vec<FileItem>,
        /// Whether it may be missing.
        optional: bool,
    },
    /// Fields of the pod itself.
    Downward {
        /// Which fields as which files.
        items: Vec<DownwardItem>,
    },
    /// A token of the pod's service account, bound to the pod.
    Token {
        /// File.
        path: String,
        /// Audience; empty is the API server's.
        audience: String,
        /// Life span, seconds.
        expiration: u64,
    },
}

/// A key as a file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct FileItem {
    /// The key.
    pub key: String,
    /// The file, relative.
    pub path: String,
    /// Its mode.
    pub mode: Option<u32>,
}

/// A field of the pod as a file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DownwardItem {
    /// The file, relative.
    pub path: String,
    /// Its mode.
    pub mode: Option<u32>,
    /// A field.
    pub field_ref: Option<FieldRef>,
    /// A resource.
    pub resource_field_ref: Option<ResourceFieldRef>,
}

const DEFAULT_MODE: u32 = 0o644;

impl<'de> Deserialize<'de> for Volume {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let name = value["name"].as_str().unwrap_or_default().to_owned();
        Ok(Self { kind: kind(&value).map_err(serde::de::Error::custom)?, name })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn kind(value: &Value) -> Result<VolumeKind, serde_json::Error> {
    let Some(object) = value.as_object() else { return Ok(VolumeKind::Unsupported { field: "volume".into() }) };
    // Without any source a volume is an emptyDir (the API's own default).
    let Some((field, source)) = object.iter().find(|(k, _)| *k != "name") else {
        return Ok(VolumeKind::EmptyDir { memory: false, size_limit: None });
    };
    let mode = source["defaultMode"].as_u64().map_or(DEFAULT_MODE, |m| m as u32);
    Ok(match field.as_str() {
        "emptyDir" => VolumeKind::EmptyDir {
            memory: source["medium"] == "Memory",
            size_limit: source.get("sizeLimit").map(|q| serde_json::from_value(q.clone())).transpose()?,
        },
        "configMap" | "secret" | "downwardAPI" => {
            VolumeKind::Files { sources: vec![projection(field, source)?], default_mode: mode }
        }
        "projected" => {
            let mut sources = Vec::new();
            for entry in source["sources"].as_array().into_iter().flatten().filter_map(Value::as_object) {
                for (field, source) in entry {
                    sources.push(projection(field, source)?);
                }
            }
            VolumeKind::Files { sources, default_mode: mode }
        }
        "persistentVolumeClaim" => VolumeKind::Claim {
            name: text(&source["claimName"]),
            read_only: source["readOnly"].as_bool().unwrap_or_default(),
        },
        "hostPath" => VolumeKind::HostPath { path: text(&source["path"]), kind: text(&source["type"]) },
        other => VolumeKind::Unsupported { field: other.to_owned() },
    })
}

fn projection(field: &str, source: &Value) -> Result<Projection, serde_json::Error> {
    let items = || match source.get("items") {
        Some(items) => serde_json::from_value(items.clone()),
        None => Ok(Vec::new()),
    };
    let optional = source["optional"].as_bool().unwrap_or_default();
    Ok(match field {
        "configMap" => Projection::ConfigMap { name: text(&source["name"]), items: items()?, optional },
        "secret" => {
            // The volume says `secretName`, the projection says `name`.
            let name = source.get("secretName").or(source.get("name")).map(text).unwrap_or_default();
            Projection::Secret { name, items: items()?, optional }
        }
        "serviceAccountToken" => Projection::Token {
            path: text(&source["path"]),
            audience: text(&source["audience"]),
            expiration: source["expirationSeconds"].as_u64().unwrap_or(3600),
        },
        _ => Projection::Downward {
            items: match source.get("items") {
                Some(items) => serde_json::from_value(items.clone())?,
                None => Vec::new(),
            },
        },
    })
}
