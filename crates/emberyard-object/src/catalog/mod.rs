//! All served kinds, and what the server says of them: discovery and OpenAPI.

mod builtin;
mod custom;
mod discovery;
mod openapi;
mod openapi_custom;

pub use custom::CrdError;
pub use openapi::Document;

use crate::{Gvk, Kind, data};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All served kinds. Cheap to clone: kinds and documents are shared.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// In the order of discovery.
    kinds: Vec<Arc<Kind>>,
    /// OpenAPI documents of custom resources, by path.
    documents: BTreeMap<String, Document>,
}

/// What a new cluster holds before anyone wrote: namespaces, roles and bindings, priority classes.
pub fn bootstrap_objects() -> Vec<Value> {
    match data::json(data::BOOTSTRAP) {
        Value::Array(objects) => objects,
        _ => Vec::new(),
    }
}

impl Catalog {
    /// The built-in kinds.
    pub fn builtin() -> Self {
        Self { kinds: builtin::kinds(), documents: BTreeMap::new() }
    }

    /// A kind by what paths say.
    pub fn find(&self, group: &str, version: &str, resource: &str) -> Option<&Arc<Kind>> {
        self.kinds
            .iter()
            .find(|kind| kind.gvr.resource == resource && kind.gvr.group == group && kind.gvr.version == version)
    }

    /// A kind by what bodies say.
    pub fn kind(&self, gvk: &Gvk) -> Option<&Arc<Kind>> {
        self.kinds.iter().find(|kind| kind.gvk == *gvk)
    }

    /// All kinds, in the order of discovery.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.iter()
    }

    /// Whether anything is served under this group and version.
    pub fn serves(&self, group: &str, version: &str) -> bool {
        self.kinds.iter().any(|kind| kind.gvr.group == group && kind.gvr.version == version)
    }
}

#[cfg(test)]
mod tests;
