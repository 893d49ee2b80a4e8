//! The yard's folder: what lies where, and the settings that stay.

pub mod folder;
pub mod ports;
pub mod settings;
pub mod versions;

pub use folder::YardDir;
pub use settings::{FleetSettings, NotebookSettings, Settings, Shape};
