//! What clients ask first: which groups, versions and resources there are.

use super::Catalog;
use super::custom::version_rank;
use crate::{Gvk, Kind, Subresource};
use serde_json::{Value, json};
use std::sync::Arc;

impl Catalog {
    /// `GET /api` as `apidiscovery.k8s.io/v2` `APIGroupDiscoveryList`.
    pub fn discovery_v2_core(&self) -> Value {
        self.discovery_v2(|group| group.is_empty())
    }

    /// `GET /apis` as `apidiscovery.k8s.io/v2` `APIGroupDiscoveryList`.
    pub fn discovery_v2_groups(&self) -> Value {
        self.discovery_v2(|group| !group.is_empty())
    }

    /// `GET /api` in the old form (`APIVersions`).
    pub fn api_versions(&self) -> Value {
        json!({"kind": "APIVersions", "versions": self.versions(""),
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}]})
    }

    /// `GET /apis` in the old form (`APIGroupList`).
    pub fn api_group_list(&self) -> Value {
        let groups: Vec<Value> = self
            .groups()
            .into_iter()
            .filter(|group| !group.is_empty())
            .filter_map(|group| self.api_group(group))
            .map(|mut group| {
                if let Some(map) = group.as_object_mut() {
                    map.retain(|key, _| key != "kind" && key != "apiVersion");
                }
                group
            })
            .collect();
        json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
    }

    /// `GET /apis/GROUP` (`APIGroup`).
    pub fn api_group(&self, group: &str) -> Option<Value> {
        let versions: Vec<Value> = self
            .versions(group)
            .into_iter()
            .map(|version| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
            .collect();
        let preferred = versions.first()?.clone();
        Some(json!({"kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": versions,
            "preferredVersion": preferred}))
    }

    /// `GET /api/v1` and `GET /apis/GROUP/VERSION` (`APIResourceList`).
    pub fn api_resource_list(&self, group: &str, version: &str) -> Option<Value> {
        let mut resources = Vec::new();
        for kind in self.in_version(group, version) {
            resources.push(legacy(kind));
            resources.extend(kind.subresources.iter().map(|sub| legacy_subresource(kind, sub)));
        }
        let group_version = Gvk::new(group, version, "").api_version();
        (!resources.is_empty()).then(|| {
            json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
        })
    }

    fn discovery_v2(&self, wanted: impl Fn(&str) -> bool) -> Value {
        let items: Vec<Value> =
            self.groups().into_iter().filter(|group| wanted(group)).map(|group| self.group_v2(group)).collect();
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
    }

    fn group_v2(&self, group: &str) -> Value {
        let versions: Vec<Value> = self
            .versions(group)
            .into_iter()
            .map(|version| {
                let resources: Vec<Value> = self.in_version(group, version).map(|kind| resource_v2(kind)).collect();
                json!({"version": version, "resources": resources, "freshness": "Current"})
            })
            .collect();
        let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
        json!({"metadata": metadata, "versions": versions})
    }

    fn in_version<'a>(&'a self, group: &'a str, version: &'a str) -> impl Iterator<Item = &'a Arc<Kind>> {
        self.kinds.iter().filter(move |kind| kind.gvr.group == group && kind.gvr.version == version)
    }

    /// Groups in the order of discovery.
    fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for kind in &self.kinds {
            if !groups.contains(&kind.gvr.group.as_str()) {
                groups.push(&kind.gvr.group);
            }
        }
        groups
    }

    /// Versions of a group, the preferred one first.
    fn versions(&self, group: &str) -> Vec<&str> {
        let mut versions: Vec<&str> = Vec::new();
        for kind in self.kinds.iter().filter(|kind| kind.gvr.group == group) {
            if !versions.contains(&kind.gvr.version.as_str()) {
                versions.push(&kind.gvr.version);
            }
        }
        versions.sort_by_key(|version| std::cmp::Reverse(version_rank(version)));
        versions
    }
}

fn resource_v2(kind: &Kind) -> Value {
    let mut entry = json!({
        "resource": kind.gvr.resource,
        "responseKind": response_kind(kind, &kind.gvk),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": kind.verbs,
    });
    if !kind.short_names.is_empty() {
        entry["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        entry["categories"] = json!(kind.categories);
    }
    if !kind.subresources.is_empty() {
        entry["subresources"] = kind
            .subresources
            .iter()
            .map(|sub| {
                json!({"subresource": sub.name, "responseKind": response_kind(kind, &sub.kind), "verbs": sub.verbs})
            })
            .collect();
    }
    entry
}

/// A kind as discovery names it: group and version are left empty where they are the resource's own.
fn response_kind(of: &Kind, kind: &Gvk) -> Value {
    if kind.group == of.gvk.group && kind.version == of.gvk.version {
        json!({"group": "", "version": "", "kind": kind.kind})
    } else {
        json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
    }
}

fn legacy(kind: &Kind) -> Value {
    let mut entry = json!({"name": kind.gvr.resource, "singularName": kind.singular, "namespaced": kind.namespaced,
        "kind": kind.gvk.kind, "verbs": kind.verbs});
    if !kind.short_names.is_empty() {
        entry["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        entry["categories"] = json!(kind.categories);
    }
    entry
}

fn legacy_subresource(kind: &Kind, sub: &Subresource) -> Value {
    let mut entry = json!({"name": format!("{}/{}", kind.gvr.resource, sub.name), "singularName": "",
        "namespaced": kind.namespaced, "kind": sub.kind.kind, "verbs": sub.verbs});
    if sub.kind.group != kind.gvk.group || sub.kind.version != kind.gvk.version {
        entry["group"] = json!(sub.kind.group);
        entry["version"] = json!(sub.kind.version);
    }
    entry
}
