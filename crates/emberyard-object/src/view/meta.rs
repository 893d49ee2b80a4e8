//! `metadata` of any object.

use super::{at, list, text};
use emberyard_model::Timestamp;
use serde_json::Value;

/// One owner of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerRef<'a> {
    /// Group and version at the time of writing; only the group counts.
    pub api_version: &'a str,
    /// Kind.
    pub kind: &'a str,
    /// Name, in the same namespace or cluster-wide.
    pub name: &'a str,
    /// Identity.
    pub uid: &'a str,
    /// Whether this owner manages the object.
    pub controller: bool,
    /// Whether foreground deletion of the owner waits for the object.
    pub block_owner_deletion: bool,
}

/// `metadata` of an object. Absent texts are "".
#[derive(Debug, Clone, Copy)]
pub struct Meta<'a>(pub &'a Value);

impl<'a> Meta<'a> {
    fn text(self, key: &str) -> &'a str {
        text(self.0, &["metadata", key])
    }

    /// Name.
    pub fn name(self) -> &'a str {
        self.text("name")
    }

    /// Prefix for a name the server chooses.
    pub fn generate_name(self) -> &'a str {
        self.text("generateName")
    }

    /// Namespace, "" for cluster scope.
    pub fn namespace(self) -> &'a str {
        self.text("namespace")
    }

    /// Identity.
    pub fn uid(self) -> &'a str {
        self.text("uid")
    }

    /// Version of the object; opaque.
    pub fn resource_version(self) -> &'a str {
        self.text("resourceVersion")
    }

    /// Counts changes of the spec; 0 if absent.
    pub fn generation(self) -> i64 {
        at(self.0, &["metadata", "generation"]).and_then(Value::as_i64).unwrap_or(0)
    }

    /// When it was created.
    pub fn created(self) -> Option<Timestamp> {
        Timestamp::parse(self.text("creationTimestamp")).ok()
    }

    /// When it is to be gone; present = deletion was asked for.
    pub fn deletion_timestamp(self) -> Option<Timestamp> {
        Timestamp::parse(self.text("deletionTimestamp")).ok()
    }

    /// Whether deletion was asked for.
    pub fn is_deleting(self) -> bool {
        !self.text("deletionTimestamp").is_empty()
    }

    /// Grace that the deletion gave, in seconds.
    pub fn deletion_grace_seconds(self) -> Option<i64> {
        at(self.0, &["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64)
    }

    /// The label map, or `Null`.
    pub fn labels(self) -> &'a Value {
        at(self.0, &["metadata", "labels"]).unwrap_or(&Value::Null)
    }

    /// One label.
    pub fn label(self, key: &str) -> Option<&'a str> {
        self.labels().get(key).and_then(Value::as_str)
    }

    /// One annotation.
    pub fn annotation(self, key: &str) -> Option<&'a str> {
        at(self.0, &["metadata", "annotations", key]).and_then(Value::as_str)
    }

    /// Finalizers that hold the object back.
    pub fn finalizers(self) -> impl Iterator<Item = &'a str> {
        list(self.0, &["metadata", "finalizers"]).iter().filter_map(Value::as_str)
    }

    /// Owners.
    pub fn owners(self) -> impl Iterator<Item = OwnerRef<'a>> {
        list(self.0, &["metadata", "ownerReferences"]).iter().map(|owner| OwnerRef {
            api_version: text(owner, &["apiVersion"]),
            kind: text(owner, &["kind"]),
            name: text(owner, &["name"]),
            uid: text(owner, &["uid"]),
            controller: owner.get("controller").and_then(Value::as_bool).unwrap_or(false),
            block_owner_deletion: owner.get("blockOwnerDeletion").and_then(Value::as_bool).unwrap_or(false),
        })
    }

    /// The owner that manages the object.
    pub fn controller(self) -> Option<OwnerRef<'a>> {
        self.owners().find(|owner| owner.controller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_metadata() {
        let object = serde_json::json!({"metadata": {"name": "a", "labels": {"x": "y"}, "finalizers": ["f"],
            "creationTimestamp": "2026-01-31T12:00:00Z",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": true}]}});
        let meta = Meta(&object);
        assert_eq!((meta.name(), meta.namespace(), meta.label("x")), ("a", "", Some("y")));
        assert_eq!(meta.created().map(Timestamp::seconds), Some(1_769_860_800));
        assert_eq!(meta.finalizers().collect::<Vec<_>>(), ["f"]);
        assert_eq!(meta.controller().map(|owner| owner.uid), Some("u"));
        assert!(!meta.is_deleting());
    }
}
