//! What is known of one served kind.

use crate::schema::{Rules, Schema};
use crate::{Gvk, Gvr};
use std::sync::Arc;

/// A subresource of a kind.
#[derive(Debug, Clone)]
pub struct Subresource {
    /// Last part of the path: `status`, `log`, `token`.
    pub name: String,
    /// What bodies to and from it are (`Pod` for `pods/status`, `Eviction` for `pods/eviction`).
    pub kind: Gvk,
    /// Verbs it takes.
    pub verbs: Vec<String>,
    /// Structure of those bodies; anything where they are no objects (`log`, `exec`).
    pub schema: Arc<Schema>,
}

/// A column of the table form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// `string`, `integer`, `boolean`, `number` or `date`.
    pub type_: String,
    /// `name` for the column that holds the name, else "" or an OpenAPI format.
    pub format: String,
    /// 0 = always shown, more = only in wide listings.
    pub priority: i64,
    /// Where the cell comes from in a custom resource (a JSONPath); "" for built-in kinds.
    pub json_path: String,
}

/// One served kind in one version.
#[derive(Debug, Clone)]
pub struct Kind {
    /// Name in bodies.
    pub gvk: Gvk,
    /// Name in paths.
    pub gvr: Gvr,
    /// Under which name its objects are stored: differs from `gvr` where two kinds share objects (the two
    /// kinds of events, versions of a custom resource).
    pub stored_as: Gvr,
    /// Kind of the list (`PodList`).
    pub list_kind: String,
    /// Singular, lower case.
    pub singular: String,
    /// Short names (`po`).
    pub short_names: Vec<String>,
    /// Categories (`all`).
    pub categories: Vec<String>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Verbs the resource takes; a kind without `get` is never stored (reviews, `bindings`).
    pub verbs: Vec<String>,
    /// Its subresources.
    pub subresources: Vec<Subresource>,
    /// Whether a successful delete answers with the object; otherwise with a `Status`.
    pub delete_answers_object: bool,
    /// Whether `metadata.generation` counts changes of the spec.
    pub has_generation: bool,
    /// Columns of its table form.
    pub columns: Vec<Column>,
    /// Whether it comes from a custom resource definition.
    pub custom: bool,
    /// Field selectors beyond `metadata.name` and `metadata.namespace`.
    pub selectable_fields: Vec<String>,
    /// Structure of its objects.
    pub schema: Arc<Schema>,
    /// Rules of a custom resource beyond structure.
    pub rules: Option<Rules>,
}

impl Kind {
    /// A subresource by name.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|subresource| subresource.name == name)
    }

    /// Whether status is written through its own subresource only.
    pub fn has_status_subresource(&self) -> bool {
        self.subresource("status").is_some()
    }

    /// Whether the resource takes `verb`.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// Whether objects of it are kept (reviews and `bindings` are not).
    pub fn is_stored(&self) -> bool {
        self.has_verb("get")
    }
}
