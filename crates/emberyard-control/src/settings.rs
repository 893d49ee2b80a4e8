//! What scheduler and controllers must be told.

use crate::Controller;
use emberyard_object::Catalog;

/// Settings of all controllers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The cluster's CA certificates (PEM), published in every namespace.
    pub ca_pem: String,
    /// Folder under which volumes of class `local` are made, as agents see it.
    pub volumes_dir: String,
    /// The kinds there are: what the garbage collector and the namespace controller look after. Custom resources they learn by themselves.
    pub catalog: Catalog,
}

/// Scheduler and controllers, ready to run.
pub fn all(_settings: &Settings) -> Vec<Box<dyn Controller>> {
    Vec::new()
}
