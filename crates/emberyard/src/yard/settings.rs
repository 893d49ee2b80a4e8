//! Settings that are chosen at the first `up` and kept.

use super::folder::{YardDir, write_private};
use emberyard_manifest::Sizes;
use emberyard_model::{Bytes, NamespaceName, ObjectName, Quantity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
use std::path::PathBuf;

/// Version of `yard.json`; a program reads its own and older ones.
pub const FORMAT: u32 = 1;

/// `yard.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// Version of this file.
    pub format: u32,
    /// Eight hexadecimal digits that tell this yard from others on the machine.
    pub id: String,
    /// API server's port on 127.0.0.1.
    pub api_port: u16,
    /// Gateway's port on 127.0.0.1.
    pub gateway_port: u16,
    /// How many nodes of which kind.
    pub fleet: FleetSettings,
    /// What the machine's memory carried at the last `up`.
    #[serde(default = "full")]
    pub sizes: Sizes,
    /// The notebook that `up` opens.
    pub notebook: Option<NotebookSettings>,
    /// Folders of the machine that pods may see: path in pod specs -> path on the machine.
    #[serde(default)]
    pub mounts: BTreeMap<PathBuf, PathBuf>,
    /// Whose notebooks are: the user who made the yard, if the machine has a name for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Image store that several yards share; the yard's own if not given.
    #[serde(default)]
    pub images: Option<PathBuf>,
    /// Ports of the machine's loopback that pods may reach.
    #[serde(default)]
    pub allow_host: Vec<u16>,
    /// Pods are told of an HTTP proxy even if the kernel could redirect what they send.
    #[serde(default)]
    pub outbound_by_proxy: bool,
    /// What the journal's files may have together; changes beyond it are refused as on a full disk. Looked at before each
    /// write, so that it can be changed while the yard runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal_limit: Option<Quantity>,
}

/// What every version of the file has.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// Sizes of a yard that knew none.
fn full() -> Sizes {
    Sizes::FULL
}

/// More than any machine has; a larger number is a slip of the keyboard.
const LARGEST_CPU: Quantity = Quantity::from_units(4096);
/// The same for memory.
const LARGEST_MEMORY: Quantity = Quantity::from_units(64 << 40);
/// The fleet gives a node up that is not ready after five minutes.
const LONGEST_BOOT: u32 = 240;

/// How many nodes of which kind. Also the fleet file of `up --fleet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FleetSettings {
    /// Never fewer nodes.
    pub min: u32,
    /// Never more nodes.
    pub max: u32,
    /// What each node declares; if nobody said, it goes by the machine's memory ([`Settings::shape`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// Seconds from the decision to the node's first sign of life, to play a cloud's delay.
    #[serde(default)]
    pub boot_delay_seconds: u32,
}

/// Declared capacity of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// CPUs.
    pub cpu: Quantity,
    /// Memory.
    pub memory: Quantity,
}

impl Shape {
    /// The usual CPUs with this much memory.
    fn of(memory: Bytes) -> Self {
        Self { cpu: Quantity::from_units(4), memory: Quantity::from_units(i64::try_from(memory.0).unwrap_or(i64::MAX)) }
    }
}

impl Default for FleetSettings {
    fn default() -> Self {
        Self { min: 2, max: 4, shape: None, boot_delay_seconds: 0 }
    }
}

/// The notebook that `up` opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotebookSettings {
    /// Its name.
    pub name: ObjectName,
    /// Its namespace.
    pub namespace: NamespaceName,
    /// The user's folder it opens on.
    pub folder: PathBuf,
}

/// Why settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what this program writes.
    #[error("{path} is damaged or of another program: {detail}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        detail: String,
    },
    /// A newer program wrote it.
    #[error("{path} was written by a newer emberyard (format {theirs}; this one knows {FORMAT})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        theirs: u32,
    },
    /// A switch or fleet file asks for something impossible.
    #[error("{0}")]
    Wrong(String),
}

impl Settings {
    /// Fresh settings for a new yard.
    pub fn new(id: String, api_port: u16, gateway_port: u16) -> Self {
        Self {
            format: FORMAT,
            id,
            api_port,
            gateway_port,
            fleet: FleetSettings::default(),
            sizes: Sizes::FULL,
            notebook: None,
            mounts: BTreeMap::new(),
            owner: None,
            images: None,
            allow_host: Vec::new(),
            outbound_by_proxy: false,
            journal_limit: None,
        }
    }

    /// What each node declares.
    pub fn shape(&self) -> Shape {
        self.fleet.shape.clone().unwrap_or_else(|| Shape::of(self.sizes.node_memory))
    }

    /// What had to give way to the machine's memory, if anything.
    pub fn gave_way(&self) -> Option<String> {
        self.sizes.said(self.fleet.shape.is_none())
    }

    /// The image store.
    pub fn images(&self, dir: &YardDir) -> PathBuf {
        self.images.clone().unwrap_or_else(|| dir.images())
    }

    /// Reads `yard.json`; `None` if the yard does not exist yet.
    pub fn load(dir: &YardDir) -> Result<Option<Self>, SettingsError> {
        let path = dir.settings();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            // Where no folder can be is no yard; making it will say why.
            Err(error) if matches!(error.kind(), NotFound | NotADirectory | InvalidFilename) => return Ok(None),
            Err(source) => return Err(SettingsError::File { path, source }),
        };
        // First the number: a newer file has fields that this program does not know.
        if let Ok(Head { format }) = serde_json::from_slice(&text)
            && format > FORMAT
        {
            return Err(SettingsError::Newer { path, theirs: format });
        }
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| SettingsError::Damaged { path, detail: error.to_string() })
    }

    /// Writes `yard.json`.
    pub fn save(&self, dir: &YardDir) -> Result<(), SettingsError> {
        let path = dir.settings();
        let text = serde_json::to_vec_pretty(self).map_err(|error| SettingsError::Wrong(error.to_string()))?;
        write_private(&path, &text).map_err(|source| SettingsError::File { path, source })
    }
}

impl FleetSettings {
    /// Reads a fleet file (YAML); unknown keys are refused by name.
    pub fn read(path: &std::path::Path) -> Result<Self, SettingsError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| SettingsError::File { path: path.to_path_buf(), source })?;
        let fleet: Self = serde_yaml_ng::from_str(&text)
            .map_err(|error| SettingsError::Wrong(format!("fleet file {}: {error}", path.display())))?;
        fleet.checked()
    }

    /// Takes `MIN..MAX`.
    pub fn with_nodes(mut self, text: &str) -> Result<Self, SettingsError> {
        let wrong = || SettingsError::Wrong(format!("--nodes {text}: write MIN..MAX, for example 2..4"));
        let (min, max) = text.split_once("..").ok_or_else(wrong)?;
        self.min = min.trim().parse().map_err(|_| wrong())?;
        self.max = max.trim().trim_start_matches('=').parse().map_err(|_| wrong())?;
        self.checked()
    }

    /// Takes `cpu=N,memory=SIZE`.
    pub fn with_shape(mut self, text: &str) -> Result<Self, SettingsError> {
        let mut shape = self.shape.take().unwrap_or_else(|| Shape::of(Sizes::FULL.node_memory));
        for part in text.split(',') {
            let wrong = || {
                SettingsError::Wrong(format!(
                    "--node-shape {text}: write cpu=N,memory=SIZE, for example cpu=4,memory=8Gi"
                ))
            };
            let (key, value) = part.split_once('=').ok_or_else(wrong)?;
            let quantity = Quantity::parse(value.trim()).map_err(|_| wrong())?;
            match key.trim() {
                "cpu" => shape.cpu = quantity,
                "memory" => shape.memory = quantity,
                _ => return Err(wrong()),
            }
        }
        self.shape = Some(shape);
        self.checked()
    }

    fn checked(self) -> Result<Self, SettingsError> {
        let wrong = |text: &str| Err(SettingsError::Wrong(text.to_owned()));
        if self.min == 0 {
            return wrong("a yard needs at least one node: ask for 1 or more");
        }
        if self.max < self.min {
            return wrong("the largest number of nodes is below the smallest: turn them round");
        }
        if self.max > 200 {
            return wrong("one machine carries at most 200 nodes: ask for fewer");
        }
        let too_small = |shape: &Shape| shape.cpu.milli() < 100 || shape.memory.units() < (256 << 20);
        if self.shape.as_ref().is_some_and(too_small) {
            return wrong("a node needs at least cpu=100m,memory=256Mi");
        }
        let too_large = |shape: &Shape| shape.cpu > LARGEST_CPU || shape.memory > LARGEST_MEMORY;
        if self.shape.as_ref().is_some_and(too_large) {
            return wrong("a node of more than cpu=4096,memory=64Ti is beyond any machine: ask for less");
        }
        if self.boot_delay_seconds > LONGEST_BOOT {
            return wrong("bootDelaySeconds above 240: a node that takes longer counts as failed");
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_and_shape_are_read_or_refused() {
        let fleet = FleetSettings::default().with_nodes("1..3").unwrap().with_shape("cpu=2,memory=3Gi").unwrap();
        let shape = fleet.shape.unwrap();
        assert_eq!((fleet.min, fleet.max, shape.cpu.milli(), shape.memory.units()), (1, 3, 2000, 3 << 30));
        for text in ["", "3", "4..2", "0..2", "a..b", "1..1000"] {
            assert!(FleetSettings::default().with_nodes(text).is_err(), "{text}");
        }
        for text in ["", "cpu", "cpu=x", "disk=1", "cpu=0,memory=1Gi", "cpu=-1", "cpu=9E", "cpu=2,memory=1Ei"] {
            assert!(FleetSettings::default().with_shape(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_shape_that_was_asked_for_does_not_give_way() {
        let mut settings = Settings::new("id".to_owned(), 1, 2);
        assert_eq!(settings.shape().memory.units(), 8 << 30);
        settings.sizes = Sizes::of(Bytes(3 << 30));
        assert_eq!(settings.shape().memory.units(), 1536 << 20);
        assert!(settings.gave_way().unwrap().contains("node declares"));
        settings.fleet = settings.fleet.with_shape("memory=6Gi").unwrap();
        assert_eq!(settings.shape().memory.units(), 6 << 30);
        assert!(!settings.gave_way().unwrap().contains("node declares"));
    }

    #[test]
    fn a_fleet_file_with_an_unknown_key_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fleet.yaml");
        std::fs::write(&file, "min: 1\nmax: 2\nspotty: true\n").unwrap();
        let text = FleetSettings::read(&file).unwrap_err().to_string();
        assert!(text.contains("spotty"), "{text}");
    }
}
