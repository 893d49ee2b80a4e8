//! The shared definitions of all built-in kinds.

use super::{Schema, read::read_builtin};
use crate::{Gvk, data};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// A shared definition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Definition(u16);

struct Table {
    by_name: BTreeMap<String, Definition>,
    names: Vec<String>,
    schemas: Vec<Schema>,
    by_kind: BTreeMap<Gvk, Definition>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let Value::Object(published) = data::json(data::SCHEMAS) else {
        return Table { by_name: BTreeMap::new(), names: Vec::new(), schemas: Vec::new(), by_kind: BTreeMap::new() };
    };
    let names: Vec<String> = published.keys().cloned().collect();
    let by_name: BTreeMap<String, Definition> =
        names.iter().enumerate().map(|(index, name)| (name.clone(), Definition(index as u16))).collect();
    let find = |name: &str| by_name.get(name).copied();
    let schemas = published.iter().map(|(name, schema)| read_builtin(name, schema, &find)).collect();
    let mut by_kind = BTreeMap::new();
    for (index, schema) in published.values().enumerate() {
        for gvk in schema["x-kubernetes-group-version-kind"].as_array().map_or(&[][..], Vec::as_slice) {
            let text = |key: &str| gvk[key].as_str().unwrap_or("");
            by_kind.insert(Gvk::new(text("group"), text("version"), text("kind")), Definition(index as u16));
        }
    }
    Table { by_name, names, schemas, by_kind }
});

impl Definition {
    /// By its OpenAPI name (`io.k8s.api.core.v1.Pod`).
    pub fn named(name: &str) -> Option<Self> {
        TABLE.by_name.get(name).copied()
    }

    /// Its OpenAPI name.
    pub fn name(self) -> &'static str {
        TABLE.names.get(usize::from(self.0)).map_or("", String::as_str)
    }

    /// Its structure.
    pub fn schema(self) -> &'static Schema {
        static ANY: Schema = Schema::ANY;
        TABLE.schemas.get(usize::from(self.0)).unwrap_or(&ANY)
    }

    /// A schema that refers to it.
    pub fn reference(self) -> Arc<Schema> {
        Arc::new(Schema::of(super::Shape::Ref(self)))
    }
}

impl std::fmt::Debug for Definition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Definition({})", self.0)
    }
}

/// The structure of a built-in kind that may come as a body: also `DeleteOptions`, `Eviction`, `TokenRequest`.
pub fn definition(gvk: &Gvk) -> Option<Arc<Schema>> {
    TABLE.by_kind.get(gvk).map(|definition| definition.reference())
}
