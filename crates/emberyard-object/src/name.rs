//! How kinds are named: by group, version and resource in paths, by group, version and kind in bodies.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Group, version and resource: what a path names (`apps`, `v1`, `deployments`). The core group is "".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gvr {
    /// API group, "" for core.
    pub group: String,
    /// Version within the group.
    pub version: String,
    /// Plural, lower case.
    pub resource: String,
}

impl Gvr {
    /// From the three parts.
    pub fn new(group: &str, version: &str, resource: &str) -> Self {
        Self { group: group.to_owned(), version: version.to_owned(), resource: resource.to_owned() }
    }

    /// A resource of the core group, version v1.
    pub fn core(resource: &str) -> Self {
        Self::new("", "v1", resource)
    }

    /// What bodies carry as `apiVersion`.
    pub fn api_version(&self) -> String {
        join(&self.group, &self.version)
    }

    /// As messages name it: `pods`, `deployments.apps`.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() { self.resource.clone() } else { format!("{}.{}", self.resource, self.group) }
    }

    /// Path of a collection (no name) or an object on the server.
    pub fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        if let Some(namespace) = namespace {
            path.push_str("/namespaces/");
            path.push_str(namespace);
        }
        path.push('/');
        path.push_str(&self.resource);
        if let Some(name) = name {
            path.push('/');
            path.push_str(name);
        }
        path
    }
}

impl fmt::Display for Gvr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.api_version(), self.resource)
    }
}

/// Group, version and kind: what a body names (`apps`, `v1`, `Deployment`). The core group is "".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gvk {
    /// API group, "" for core.
    pub group: String,
    /// Version within the group.
    pub version: String,
    /// Kind in camel case.
    pub kind: String,
}

impl Gvk {
    /// From the three parts.
    pub fn new(group: &str, version: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    /// A kind of the core group, version v1.
    pub fn core(kind: &str) -> Self {
        Self::new("", "v1", kind)
    }

    /// From the `apiVersion` and `kind` of a body.
    pub fn from_api_version(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self::new(group, version, kind)
    }

    /// What an object says it is; `None` when `apiVersion` or `kind` is absent or empty.
    pub fn of(object: &Value) -> Option<Self> {
        let text = |key: &str| object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(Self::from_api_version(text("apiVersion")?, text("kind")?))
    }

    /// What bodies carry as `apiVersion`.
    pub fn api_version(&self) -> String {
        join(&self.group, &self.version)
    }

    /// As messages name it: `Pod`, `Deployment.apps`.
    pub fn group_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, Kind={}", self.api_version(), self.kind)
    }
}

fn join(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names() {
        let pods = Gvr::core("pods");
        assert_eq!(pods.path(Some("a"), Some("b")), "/api/v1/namespaces/a/pods/b");
        assert_eq!(pods.path(None, None), "/api/v1/pods");
        let roles = Gvr::new("rbac.authorization.k8s.io", "v1", "clusterroles");
        assert_eq!(roles.path(None, Some("x")), "/apis/rbac.authorization.k8s.io/v1/clusterroles/x");
        assert_eq!(roles.group_resource(), "clusterroles.rbac.authorization.k8s.io");
        let lease = serde_json::json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"});
        assert_eq!(Gvk::of(&lease), Some(Gvk::new("coordination.k8s.io", "v1", "Lease")));
        assert_eq!(Gvk::of(&serde_json::json!({"apiVersion": "v1"})), None);
    }
}
