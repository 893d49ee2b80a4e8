//! The table of kinds: discovery, delete answers, table columns, generations.

use super::served::{self, UNSERVED_SUBRESOURCES};
use super::{items, members, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One entry for each served resource, in the order of discovery (groups by priority, then by name).
pub fn make(
    discovery: &Value,
    openapi: &Value,
    tables: &Value,
    defaults: &Value,
    definitions: &Value,
) -> Result<Value, String> {
    let generations = kinds_with_generation(defaults);
    let mut kinds = Vec::new();
    for group in items(&discovery["api"]["items"]).iter().chain(items(&discovery["apis"]["items"])) {
        let group_name = text(&group["metadata"]["name"]);
        for version in items(&group["versions"]) {
            let version_name = text(&version["version"]);
            let served = served::resources(group_name, version_name);
            for resource in items(&version["resources"]) {
                if served.contains(&text(&resource["resource"])) {
                    let place = Place { group: group_name, version: version_name };
                    kinds.push(entry(&place, resource, openapi, tables, &generations, definitions)?);
                }
            }
        }
    }
    let wanted: usize = served::SERVED.iter().map(|served| served.resources.len()).sum();
    if kinds.len() != wanted {
        return Err(format!("discovery has {} of the {wanted} resources to serve", kinds.len()));
    }
    Ok(Value::Array(kinds))
}

struct Place<'a> {
    group: &'a str,
    version: &'a str,
}

impl Place<'_> {
    fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }
}

fn entry(
    place: &Place<'_>,
    resource: &Value,
    openapi: &Value,
    tables: &Value,
    generations: &BTreeSet<String>,
    definitions: &Value,
) -> Result<Value, String> {
    let plural = text(&resource["resource"]);
    let kind = text(&resource["responseKind"]["kind"]);
    let namespaced = text(&resource["scope"]) == "Namespaced";
    let api_version = place.api_version();
    let definition = definition_of(definitions, place.group, place.version, kind)
        .ok_or_else(|| format!("no definition of {api_version} {kind}"))?;
    let subresources = items(&resource["subresources"])
        .iter()
        .filter(|sub| !UNSERVED_SUBRESOURCES.contains(&format!("{plural}/{}", text(&sub["subresource"])).as_str()))
        .map(|sub| subresource(place, sub, definitions))
        .collect::<Vec<_>>();
    let fields = served::SELECTABLE
        .iter()
        .find(|(group, resource, _)| *group == place.group && *resource == plural)
        .map_or(&[][..], |(_, _, fields)| *fields);
    let mut entry = json!({
        "group": place.group, "version": place.version, "resource": plural, "kind": kind,
        "singular": resource["singularResource"], "namespaced": namespaced, "verbs": resource["verbs"],
        "subresources": subresources, "definition": definition, "fields": fields,
        "columns": tables.get(format!("{api_version}/{plural}")).cloned().unwrap_or(json!([])),
        "shortNames": resource.get("shortNames").cloned().unwrap_or(json!([])),
        "categories": resource.get("categories").cloned().unwrap_or(json!([])),
        "deleteAnswersObject": delete_answers_object(openapi, place, plural, namespaced),
        "generation": generations.contains(kind),
    });
    if let Some(group) = served::stored_group(place.group, plural) {
        entry["storedIn"] = json!(group);
    }
    Ok(entry)
}

fn subresource(place: &Place<'_>, sub: &Value, definitions: &Value) -> Value {
    let own = |key: &str, or: &str| match text(&sub["responseKind"][key]) {
        "" => or.to_owned(),
        name => name.to_owned(),
    };
    let kind = text(&sub["responseKind"]["kind"]);
    // An empty version means the parent's group and version.
    let (group, version) = if text(&sub["responseKind"]["version"]).is_empty() {
        (place.group.to_owned(), place.version.to_owned())
    } else {
        (text(&sub["responseKind"]["group"]).to_owned(), own("version", place.version))
    };
    let mut entry = json!({"name": sub["subresource"], "group": group, "version": version, "kind": kind,
        "verbs": sub["verbs"]});
    if let Some(definition) = definition_of(definitions, &group, &version, kind) {
        entry["definition"] = json!(definition);
    }
    entry
}

/// The definition whose only kind is this one.
fn definition_of(definitions: &Value, group: &str, version: &str, kind: &str) -> Option<String> {
    let wanted = json!([{"group": group, "kind": kind, "version": version}]);
    members(definitions)
        .find(|(_, definition)| definition["x-kubernetes-group-version-kind"] == wanted)
        .map(|(name, _)| name.clone())
}

/// Whether the delete of one object answers with it, by the response its operation publishes.
fn delete_answers_object(openapi: &Value, place: &Place<'_>, plural: &str, namespaced: bool) -> bool {
    let root = if place.group.is_empty() { "api" } else { "apis" };
    let document = &openapi[format!("{root}/{}", place.api_version())];
    let scope = if namespaced { "namespaces/{namespace}/" } else { "" };
    let path = format!("/{root}/{}/{scope}{plural}/{{name}}", place.api_version());
    let answer =
        &document["paths"][path]["delete"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
    !text(answer).is_empty() && !text(answer).ends_with(".Status")
}

/// Kinds whose fresh objects carried `metadata.generation`; custom resource definitions apart, upstream decides it in Go.
fn kinds_with_generation(defaults: &Value) -> BTreeSet<String> {
    items(defaults)
        .iter()
        .map(|case| &case["answer"])
        .filter(|answer| answer["metadata"].get("generation").is_some())
        .map(|answer| text(&answer["kind"]).to_owned())
        .collect()
}
