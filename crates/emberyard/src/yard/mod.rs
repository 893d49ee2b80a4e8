//! The yard's folder: what lies where, and the settings that stay.

pub mod clock;
pub mod folder;
pub mod outside;
pub mod ports;
pub mod settings;
pub mod versions;

pub use folder::YardDir;
pub use settings::{FleetSettings, NotebookSettings, Settings, Shape};

use emberyard_node::net::yard::Outbound;

/// How pods of this yard reach the outside; `None` before its network stands.
pub fn outbound(dir: &YardDir) -> Option<Outbound> {
    serde_json::from_slice(&std::fs::read(dir.outbound()).ok()?).ok()
}
