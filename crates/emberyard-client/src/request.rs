//! How a request is written: path, query, kind of body.

use http::Method;

/// Query pairs; values are escaped on the way out.
pub type Query<'a> = &'a [(&'a str, &'a str)];

/// What a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContentKind {
    /// An object (`application/json`).
    #[default]
    Json,
    /// RFC 6902 operations.
    JsonPatch,
    /// RFC 7386 merge patch.
    MergePatch,
    /// Kubernetes' strategic merge patch.
    StrategicMergePatch,
    /// Server-side apply; JSON is YAML, so the body stays JSON.
    Apply,
}

impl ContentKind {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonPatch => "application/json-patch+json",
            Self::MergePatch => "application/merge-patch+json",
            Self::StrategicMergePatch => "application/strategic-merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }
}

/// Paths of resources. An empty `group` is the core group, an empty `namespace` means all or none.
pub fn path(group: &str, version: &str, namespace: &str, resource: &str, name: &str) -> String {
    let mut path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    if !namespace.is_empty() {
        path.push_str("/namespaces/");
        path.push_str(namespace);
    }
    path.push('/');
    path.push_str(resource);
    if !name.is_empty() {
        path.push('/');
        path.push_str(name);
    }
    path
}

/// Path and query as one request target.
pub(crate) fn target(path: &str, query: &[(String, String)]) -> String {
    let mut out = path.to_owned();
    for (i, (key, value)) in query.iter().enumerate() {
        out.push(if i == 0 && !path.contains('?') { '?' } else { '&' });
        escape(key, &mut out);
        out.push('=');
        escape(value, &mut out);
    }
    out
}

pub(crate) fn owned(query: Query<'_>) -> Vec<(String, String)> {
    query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

/// RFC 3986 unreserved characters stay, everything else is percent-escaped.
fn escape(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)] as char);
            out.push(HEX[usize::from(byte & 15)] as char);
        }
    }
}

/// The request itself.
pub(crate) fn build(
    method: Method,
    path: &str,
    query: &[(String, String)],
    body: Option<(&serde_json::Value, ContentKind)>,
) -> Result<http::Request<Vec<u8>>, String> {
    let mut request = http::Request::builder()
        .method(method)
        .uri(target(path, query))
        .header(http::header::ACCEPT, "application/json")
        .header(http::header::ACCEPT_ENCODING, "identity");
    let bytes = match body {
        Some((value, kind)) => {
            request = request.header(http::header::CONTENT_TYPE, kind.media_type());
            serde_json::to_vec(value).map_err(|e| e.to_string())?
        }
        None => Vec::new(),
    };
    request.body(bytes).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_targets() {
        assert_eq!(path("", "v1", "default", "pods", "a"), "/api/v1/namespaces/default/pods/a");
        assert_eq!(path("emberyard.dev", "v1alpha1", "", "notebooks", ""), "/apis/emberyard.dev/v1alpha1/notebooks");
        let query = owned(&[("labelSelector", "a in (b,c)"), ("watch", "1")]);
        assert_eq!(target("/api/v1/pods", &query), "/api/v1/pods?labelSelector=a%20in%20%28b%2Cc%29&watch=1");
        assert_eq!(target("/x", &[]), "/x");
    }
}
