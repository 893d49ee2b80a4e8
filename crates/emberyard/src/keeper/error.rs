//! Why a keeper could not start or do something.

use std::path::PathBuf;

/// Why a keeper could not start or do something.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// Another keeper holds the folder.
    #[error("another keeper holds {0}")]
    Held(PathBuf),
    /// `up` has not written settings.
    #[error("{0} is missing: `emberyard up` writes it")]
    NoSettings(PathBuf),
    /// Settings are unusable.
    #[error(transparent)]
    Settings(#[from] crate::yard::settings::SettingsError),
    /// A port is taken.
    #[error("{0}")]
    Port(String),
    /// A file of the yard.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Certificates.
    #[error("certificates: {0}")]
    Pki(String),
    /// Namespaces, holders.
    #[error("sandbox: {0}")]
    Sandbox(String),
    /// The API server did not become ready.
    #[error("the API server did not become ready within {0} s")]
    NotReady(u64),
    /// The API server could not start: what it said.
    #[error("{0}")]
    Api(String),
    /// No more nodes.
    #[error("the fleet has its largest number of nodes ({0})")]
    Full(u32),
    /// The system.
    #[error("system: {0}")]
    System(std::io::Error),
}
