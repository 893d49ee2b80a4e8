//! The image's one Python environment, filled from locked files of a package index.

pub mod environment;
pub mod index;
pub mod lock;
pub mod settings;
pub mod wheel;

/// Where the environment lies in every image.
pub const ENVIRONMENT: &str = "/opt/venv";
