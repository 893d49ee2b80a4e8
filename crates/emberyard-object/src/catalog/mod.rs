//! All served kinds, and what the server says of them: discovery and OpenAPI.

use crate::{Gvk, Gvr, Kind};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a custom resource definition can't be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrdError {
    /// A field that must be there is not.
    #[error("custom resource definition lacks {0}")]
    Missing(&'static str),
    /// A schema breaks the rules of structural schemas.
    #[error("{field}: {message}")]
    Schema {
        /// Where.
        field: String,
        /// What is wrong.
        message: String,
    },
}

/// All served kinds. Cheap to clone: kinds are shared.
#[derive(Debug, Clone)]
pub struct Catalog {
    kinds: BTreeMap<Gvr, Arc<Kind>>,
}

/// One OpenAPI v3 document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Changes whenever the content does; also the `ETag`.
    pub hash: String,
    /// The JSON, compressed by gzip: send as it is with `Content-Encoding: gzip`, or see [`Document::json`].
    pub gzip: Arc<[u8]>,
}

impl Document {
    /// The JSON text.
    pub fn json(&self) -> Vec<u8> {
        todo!()
    }
}

/// What a new cluster holds before anyone wrote: namespaces, roles and bindings, priority classes.
pub fn bootstrap_objects() -> Vec<Value> {
    todo!()
}

impl Catalog {
    /// The built-in kinds.
    pub fn builtin() -> Self {
        todo!()
    }

    /// A kind by what paths say.
    pub fn find(&self, group: &str, version: &str, resource: &str) -> Option<&Arc<Kind>> {
        self.kinds.get(&Gvr::new(group, version, resource))
    }

    /// A kind by what bodies say.
    pub fn kind(&self, gvk: &Gvk) -> Option<&Arc<Kind>> {
        self.kinds.values().find(|kind| kind.gvk == *gvk)
    }

    /// All kinds, by group, version and resource.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.values()
    }

    /// Whether anything is served under this group and version.
    pub fn serves(&self, group: &str, version: &str) -> bool {
        self.kinds.keys().any(|gvr| gvr.group == group && gvr.version == version)
    }

    /// The catalog with the served versions of a custom resource definition added or replaced.
    ///
    /// # Errors
    /// [`CrdError`] when the definition can't be served as it stands.
    pub fn with_crd(&self, _crd: &Value) -> Result<Self, CrdError> {
        todo!()
    }

    /// The catalog without the kinds of the definition of this name (`notebooks.emberyard.dev`).
    #[must_use]
    pub fn without_crd(&self, _name: &str) -> Self {
        todo!()
    }

    /// `GET /api` as `apidiscovery.k8s.io/v2` `APIGroupDiscoveryList`.
    pub fn discovery_v2_core(&self) -> Value {
        todo!()
    }

    /// `GET /apis` as `apidiscovery.k8s.io/v2` `APIGroupDiscoveryList`.
    pub fn discovery_v2_groups(&self) -> Value {
        todo!()
    }

    /// `GET /api` in the old form (`APIVersions`).
    pub fn api_versions(&self) -> Value {
        todo!()
    }

    /// `GET /apis` in the old form (`APIGroupList`).
    pub fn api_group_list(&self) -> Value {
        todo!()
    }

    /// `GET /apis/GROUP` (`APIGroup`).
    pub fn api_group(&self, _group: &str) -> Option<Value> {
        todo!()
    }

    /// `GET /api/v1` and `GET /apis/GROUP/VERSION` (`APIResourceList`).
    pub fn api_resource_list(&self, _group: &str, _version: &str) -> Option<Value> {
        todo!()
    }

    /// `GET /openapi/v3`: paths of the documents, with their hashes.
    pub fn openapi_v3_index(&self) -> Value {
        todo!()
    }

    /// `GET /openapi/v3/PATH`; `path` as in the index, for example `apis/storage.k8s.io/v1`.
    pub fn openapi_v3(&self, _path: &str) -> Option<Document> {
        todo!()
    }
}
