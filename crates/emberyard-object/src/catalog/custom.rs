//! Kinds out of custom resource definitions.

use super::{Catalog, Document, openapi_custom};
use crate::schema::{Definition, Object, Rules, Schema, Shape, StringFormat, read_custom};
use crate::view::{list, text};
use crate::{Column, Gvk, Gvr, Kind, Subresource};
use serde_json::{Value, json};
use std::sync::Arc;

/// Why a custom resource definition can't be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrdError {
    /// A field that must be there is not.
    #[error("{0}: Required value")]
    Missing(&'static str),
    /// A schema breaks the rules.
    #[error("{field}: {message}")]
    Schema {
        /// Where.
        field: String,
        /// What is wrong.
        message: String,
    },
}

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

impl Catalog {
    /// The catalog with the served versions of a custom resource definition added or replaced.
    ///
    /// # Errors
    /// [`CrdError`] when the definition can't be served as it stands.
    pub fn with_crd(&self, crd: &Value) -> Result<Self, CrdError> {
        let mut kinds = Vec::new();
        for (index, version) in list(crd, &["spec", "versions"]).iter().enumerate() {
            if version["served"].as_bool().unwrap_or(false) {
                kinds.push((kind(crd, version, index)?, version));
            }
        }
        if kinds.is_empty() {
            return Err(CrdError::Missing("spec.versions"));
        }
        kinds.sort_by_key(|(kind, _)| std::cmp::Reverse(version_rank(&kind.gvk.version)));
        let name = kinds.first().map(|(kind, _)| kind.gvr.group_resource()).unwrap_or_default();
        let mut catalog = self.without_crd(&name);
        for (kind, version) in kinds {
            let path = format!("apis/{}", kind.gvk.api_version());
            let published = version["schema"]["openAPIV3Schema"].clone();
            let before = catalog.documents.get(&path).map(Document::value);
            catalog.documents.insert(path, Document::new(&openapi_custom::document(before, &kind, published)));
            catalog.kinds.push(Arc::new(kind));
        }
        Ok(catalog)
    }

    /// The catalog without the kinds of the definition of this name (`notebooks.emberyard.dev`).
    #[must_use]
    pub fn without_crd(&self, name: &str) -> Self {
        let mut catalog = self.clone();
        for gone in self.kinds.iter().filter(|kind| kind.custom && kind.gvr.group_resource() == name) {
            let path = format!("apis/{}", gone.gvk.api_version());
            let rest = catalog.documents.remove(&path).and_then(|before| openapi_custom::without(before.value(), gone));
            if let Some(rest) = rest {
                catalog.documents.insert(path, Document::new(&rest));
            }
        }
        catalog.kinds.retain(|kind| !(kind.custom && kind.gvr.group_resource() == name));
        catalog
    }
}

fn kind(crd: &Value, version: &Value, index: usize) -> Result<Kind, CrdError> {
    let named = |path: &[&str], field: &'static str| match text(crd, path) {
        "" => Err(CrdError::Missing(field)),
        name => Ok(name),
    };
    let group = named(&["spec", "group"], "spec.group")?;
    let plural = named(&["spec", "names", "plural"], "spec.names.plural")?;
    let name = named(&["spec", "names", "kind"], "spec.names.kind")?;
    let gvk = Gvk::new(group, text(version, &["name"]), name);
    let stored = list(crd, &["spec", "versions"]).iter().find(|version| version["storage"] == json!(true));
    let or =
        |path: &[&str], default: String| Some(text(crd, path)).filter(|t| !t.is_empty()).map_or(default, str::to_owned);
    let field = format!("spec.versions[{index}].schema.openAPIV3Schema");
    let schema = Arc::new(root_schema(version, &field)?);
    let rules = Rules::compile(&version["schema"]["openAPIV3Schema"], &field)
        .map_err(|(field, message)| CrdError::Schema { field, message })?;
    let status = version["subresources"].get("status").is_some();
    Ok(Kind {
        gvr: Gvr::new(group, &gvk.version, plural),
        stored_as: Gvr::new(group, stored.map_or(gvk.version.as_str(), |stored| text(stored, &["name"])), plural),
        list_kind: or(&["spec", "names", "listKind"], format!("{name}List")),
        singular: or(&["spec", "names", "singular"], name.to_lowercase()),
        short_names: texts(list(crd, &["spec", "names", "shortNames"])),
        categories: texts(list(crd, &["spec", "names", "categories"])),
        namespaced: text(crd, &["spec", "scope"]) != "Cluster",
        verbs: VERBS.map(str::to_owned).to_vec(),
        subresources: status.then(|| status_subresource(&gvk, &schema)).into_iter().collect(),
        delete_answers_object: false,
        has_generation: true,
        columns: columns(version),
        custom: true,
        selectable_fields: list(version, &["selectableFields"])
            .iter()
            .map(|field| text(field, &["jsonPath"]).trim_start_matches('.').to_owned())
            .collect(),
        schema,
        rules,
        gvk,
    })
}

fn status_subresource(gvk: &Gvk, schema: &Arc<Schema>) -> Subresource {
    let verbs = ["get", "patch", "update"].map(str::to_owned).to_vec();
    Subresource { name: "status".to_owned(), kind: gvk.clone(), verbs, schema: schema.clone() }
}

/// The version's schema, with what every object has.
fn root_schema(version: &Value, field: &str) -> Result<Schema, CrdError> {
    let published = version["schema"].get("openAPIV3Schema").ok_or_else(|| CrdError::Schema {
        field: field.to_owned(),
        message: "Required value: schemas are required".to_owned(),
    })?;
    let mut schema = read_custom(published, field)?;
    // A schema that only says "object, keep everything" has no fields of its own yet.
    if !matches!(schema.shape, Shape::Object(_)) {
        schema.shape = Shape::Object(Object { preserve_unknown: true, ..Object::default() });
    }
    if let Shape::Object(object) = &mut schema.shape {
        let plain = || Schema::of(Shape::String(StringFormat::Plain));
        object.properties.insert("apiVersion".to_owned(), plain());
        object.properties.insert("kind".to_owned(), plain());
        if let Some(meta) = Definition::named("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta") {
            object.properties.insert("metadata".to_owned(), Schema::of(Shape::Ref(meta)));
        }
    }
    Ok(schema)
}

fn columns(version: &Value) -> Vec<Column> {
    let column = |name: &str, type_: &str, format: &str, priority: i64, json_path: &str| Column {
        name: name.to_owned(),
        type_: type_.to_owned(),
        format: format.to_owned(),
        priority,
        json_path: json_path.to_owned(),
    };
    let mut columns = vec![column("Name", "string", "name", 0, ".metadata.name")];
    let own = list(version, &["additionalPrinterColumns"]);
    columns.extend(own.iter().map(|entry| {
        let word = |key: &str| text(entry, &[key]);
        column(word("name"), word("type"), word("format"), entry["priority"].as_i64().unwrap_or(0), word("jsonPath"))
    }));
    if own.is_empty() {
        columns.push(column("Age", "date", "", 0, ".metadata.creationTimestamp"));
    }
    columns
}

fn texts(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Order of versions: v2 before v1 before v1beta1 before v1alpha1 before all others by name (rule of `apimachinery`
/// `version.CompareKubeAwareVersionStrings`). Larger comes first.
pub(super) fn version_rank(version: &str) -> (u8, u32, u32, std::cmp::Reverse<String>) {
    let parsed = version.strip_prefix('v').and_then(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let major: u32 = rest[..digits].parse().ok()?;
        match &rest[digits..] {
            "" => Some((3, major, 0)),
            tail => {
                let (stage, minor) =
                    tail.strip_prefix("beta").map(|n| (2, n)).or_else(|| Some((1, tail.strip_prefix("alpha")?)))?;
                Some((stage, major, minor.parse().ok()?))
            }
        }
    });
    let (stage, major, minor) = parsed.unwrap_or((0, 0, 0));
    (stage, major, minor, std::cmp::Reverse(version.to_owned()))
}
