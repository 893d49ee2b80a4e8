//! Requests to an API server as values: controllers emit them, whoever holds a connection runs them.

use crate::Gvr;
use serde_json::{Value, json};

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Read one or many.
    Get,
    /// Create.
    Post,
    /// Replace.
    Put,
    /// Change in part.
    Patch,
    /// Delete one or many.
    Delete,
}

impl Method {
    /// As HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentKind {
    /// A plain object.
    Json,
    /// RFC 6902.
    JsonPatch,
    /// RFC 7386.
    MergePatch,
    /// Kubernetes' strategic merge patch.
    StrategicMergePatch,
    /// Server-side apply.
    ApplyPatch,
}

impl ContentKind {
    /// The media type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonPatch => "application/json-patch+json",
            Self::MergePatch => "application/merge-patch+json",
            Self::StrategicMergePatch => "application/strategic-merge-patch+json",
            Self::ApplyPatch => "application/apply-patch+yaml",
        }
    }

    /// From a `Content-Type` header; parameters are ignored. `None` for what is no JSON form.
    pub fn parse(header: &str) -> Option<Self> {
        Some(match header.split(';').next().unwrap_or("").trim() {
            "application/json" => Self::Json,
            "application/json-patch+json" => Self::JsonPatch,
            "application/merge-patch+json" => Self::MergePatch,
            "application/strategic-merge-patch+json" => Self::StrategicMergePatch,
            "application/apply-patch+yaml" => Self::ApplyPatch,
            _ => return None,
        })
    }
}

/// How dependents of a deleted object are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Propagation {
    /// The object goes at once, dependents after it.
    Background,
    /// Dependents go first.
    Foreground,
    /// Dependents stay and lose their owner reference.
    Orphan,
}

impl Propagation {
    /// As `DeleteOptions.propagationPolicy` writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

/// The body of a delete.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeleteOptions {
    /// Seconds of grace; `None` leaves the kind's own.
    pub grace_seconds: Option<i64>,
    /// Only if the object still has this uid.
    pub uid: Option<String>,
    /// Only if the object still has this resourceVersion.
    pub resource_version: Option<String>,
    /// What happens to dependents.
    pub propagation: Option<Propagation>,
}

impl DeleteOptions {
    /// As JSON body.
    pub fn body(&self) -> Value {
        let mut body = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
        if let Some(grace) = self.grace_seconds {
            body["gracePeriodSeconds"] = json!(grace);
        }
        if let Some(uid) = &self.uid {
            body["preconditions"]["uid"] = json!(uid);
        }
        if let Some(version) = &self.resource_version {
            body["preconditions"]["resourceVersion"] = json!(version);
        }
        if let Some(propagation) = self.propagation {
            body["propagationPolicy"] = json!(propagation.as_str());
        }
        body
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiRequest {
    /// HTTP method.
    pub method: Method,
    /// Path, beginning with `/`, without query.
    pub path: String,
    /// Query parameters, not yet percent-encoded.
    pub query: Vec<(String, String)>,
    /// What the body is.
    pub content_type: ContentKind,
    /// The body.
    pub body: Option<Value>,
}

/// The object a request is about: namespace (`None` for cluster scope) and name.
pub type At<'a> = (Option<&'a str>, &'a str);

impl ApiRequest {
    fn new(method: Method, path: String, content_type: ContentKind, body: Option<Value>) -> Self {
        Self { method, path, query: Vec::new(), content_type, body }
    }

    /// Reads one object.
    pub fn get(gvr: &Gvr, at: At<'_>) -> Self {
        Self::new(Method::Get, gvr.path(at.0, Some(at.1)), ContentKind::Json, None)
    }

    /// Reads all objects of a namespace, or of all namespaces.
    pub fn list(gvr: &Gvr, namespace: Option<&str>) -> Self {
        Self::new(Method::Get, gvr.path(namespace, None), ContentKind::Json, None)
    }

    /// Creates `object`.
    pub fn create(gvr: &Gvr, namespace: Option<&str>, object: Value) -> Self {
        Self::new(Method::Post, gvr.path(namespace, None), ContentKind::Json, Some(object))
    }

    /// Posts `body` to a subresource (`binding`, `eviction`, `token`).
    pub fn create_sub(gvr: &Gvr, at: At<'_>, subresource: &str, body: Value) -> Self {
        Self::create(gvr, at.0, body).at(gvr, at).subresource(subresource)
    }

    /// Replaces an object.
    pub fn update(gvr: &Gvr, at: At<'_>, object: Value) -> Self {
        Self::new(Method::Put, gvr.path(at.0, Some(at.1)), ContentKind::Json, Some(object))
    }

    /// Replaces an object's status.
    pub fn update_status(gvr: &Gvr, at: At<'_>, object: Value) -> Self {
        Self::update(gvr, at, object).subresource("status")
    }

    /// Merge patch (RFC 7386).
    pub fn patch_merge(gvr: &Gvr, at: At<'_>, patch: Value) -> Self {
        Self::new(Method::Patch, gvr.path(at.0, Some(at.1)), ContentKind::MergePatch, Some(patch))
    }

    /// Merge patch of the status; `patch` is the whole body (`{"status": …}`).
    pub fn patch_merge_status(gvr: &Gvr, at: At<'_>, patch: Value) -> Self {
        Self::patch_merge(gvr, at, patch).subresource("status")
    }

    /// Strategic merge patch.
    pub fn patch_strategic(gvr: &Gvr, at: At<'_>, patch: Value) -> Self {
        Self::new(Method::Patch, gvr.path(at.0, Some(at.1)), ContentKind::StrategicMergePatch, Some(patch))
    }

    /// Strategic merge patch of the status; `patch` is the whole body (`{"status": …}`).
    pub fn patch_strategic_status(gvr: &Gvr, at: At<'_>, patch: Value) -> Self {
        Self::patch_strategic(gvr, at, patch).subresource("status")
    }

    /// JSON patch (RFC 6902); `operations` is the array.
    pub fn patch_json(gvr: &Gvr, at: At<'_>, operations: Value) -> Self {
        Self::new(Method::Patch, gvr.path(at.0, Some(at.1)), ContentKind::JsonPatch, Some(operations))
    }

    /// Server-side apply as `manager`.
    pub fn apply(gvr: &Gvr, at: At<'_>, manager: &str, force: bool, object: Value) -> Self {
        Self::new(Method::Patch, gvr.path(at.0, Some(at.1)), ContentKind::ApplyPatch, Some(object))
            .with("fieldManager", manager)
            .with("force", if force { "true" } else { "false" })
    }

    /// Deletes one object.
    pub fn delete(gvr: &Gvr, at: At<'_>, options: &DeleteOptions) -> Self {
        Self::new(Method::Delete, gvr.path(at.0, Some(at.1)), ContentKind::Json, Some(options.body()))
    }

    /// Deletes all objects of a namespace (or of the cluster) that the selectors in the query leave over.
    pub fn delete_collection(gvr: &Gvr, namespace: Option<&str>, options: &DeleteOptions) -> Self {
        Self::new(Method::Delete, gvr.path(namespace, None), ContentKind::Json, Some(options.body()))
    }

    /// The same request with one more query parameter.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.query.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The same request to a subresource of its object.
    #[must_use]
    pub fn subresource(mut self, name: &str) -> Self {
        self.path.push('/');
        self.path.push_str(name);
        self
    }

    fn at(mut self, gvr: &Gvr, at: At<'_>) -> Self {
        self.path = gvr.path(at.0, Some(at.1));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_what_the_server_expects() {
        let pods = Gvr::core("pods");
        let at = (Some("a"), "b");
        let table = [
            (ApiRequest::get(&pods, at), "GET /api/v1/namespaces/a/pods/b"),
            (ApiRequest::list(&pods, None), "GET /api/v1/pods"),
            (ApiRequest::create(&pods, Some("a"), json!({})), "POST /api/v1/namespaces/a/pods"),
            (ApiRequest::create_sub(&pods, at, "binding", json!({})), "POST /api/v1/namespaces/a/pods/b/binding"),
            (ApiRequest::patch_merge_status(&pods, at, json!({})), "PATCH /api/v1/namespaces/a/pods/b/status"),
            (ApiRequest::delete(&pods, at, &DeleteOptions::default()), "DELETE /api/v1/namespaces/a/pods/b"),
        ];
        for (request, wanted) in table {
            assert_eq!(format!("{} {}", request.method.as_str(), request.path), wanted);
        }
        let options = DeleteOptions {
            grace_seconds: Some(0),
            uid: Some("u".into()),
            resource_version: None,
            propagation: Some(Propagation::Foreground),
        };
        assert_eq!(
            options.body(),
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0,
                "preconditions": {"uid": "u"}, "propagationPolicy": "Foreground"})
        );
        for kind in [ContentKind::Json, ContentKind::ApplyPatch, ContentKind::MergePatch] {
            assert_eq!(ContentKind::parse(&format!("{}; charset=utf-8", kind.as_str())), Some(kind));
        }
    }
}
