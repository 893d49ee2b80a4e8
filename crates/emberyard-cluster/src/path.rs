//! What a path asks for.

/// A path under `/api/v1/…` or `/apis/GROUP/VERSION/…` that names a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourcePath {
    pub(crate) group: String,
    pub(crate) version: String,
    /// `None` = of the cluster, or of all namespaces.
    pub(crate) namespace: Option<String>,
    pub(crate) resource: String,
    pub(crate) name: Option<String>,
    /// "" for the object itself.
    pub(crate) subresource: String,
    /// What follows a `proxy` subresource, as sent, beginning with `/` or empty.
    pub(crate) rest: String,
    /// Path up to the subresource's end, as sent.
    pub(crate) prefix: String,
}

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Resource(ResourcePath),
    /// Anything else; whether it exists is decided later.
    Other,
}

/// Reads a path; `None` if its percent-encoding is malformed or it names too much.
pub(crate) fn route(path: &str) -> Option<Route> {
    let trimmed = path.trim_matches('/');
    let raw: Vec<&str> = trimmed.split('/').collect();
    let (group, version, rest) = match raw.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Some(Route::Other),
    };
    if rest.is_empty() || rest[0].is_empty() {
        return Some(Route::Other);
    }
    // `/namespaces/a` and its own subresources name the namespace; anything else lies in it.
    let in_namespace = rest[0] == "namespaces" && rest.len() > 2 && !matches!(rest[2], "status" | "finalize");
    let (namespace, at) = if in_namespace { (Some(decode(rest[1])?), 2) } else { (None, 0) };
    let part = |index: usize| rest.get(at + index).map_or(Some(String::new()), |text| decode(text));
    let (resource, name, subresource) = (part(0)?, part(1)?, part(2)?);
    let used = at + 3;
    let proxied = subresource == "proxy";
    if rest.len() > used && !proxied {
        return None;
    }
    let tail = if rest.len() > used || (proxied && path.ends_with('/')) {
        let slash = if path.ends_with('/') && rest.len() > used { "/" } else { "" };
        format!("/{}{slash}", rest.get(used..).unwrap_or_default().join("/"))
    } else {
        String::new()
    };
    let prefix_parts = raw.len() - rest.len() + rest.len().min(used);
    Some(Route::Resource(ResourcePath {
        group: group.to_owned(),
        version: version.to_owned(),
        namespace,
        resource,
        name: (!name.is_empty()).then_some(name),
        subresource,
        rest: tail,
        prefix: format!("/{}", raw[..prefix_parts].join("/")),
    }))
}

/// Undoes percent-encoding of one part of a path; `None` if malformed.
fn decode(part: &str) -> Option<String> {
    if !part.contains('%') {
        return Some(part.to_owned());
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let (digits, tail) = tail.split_at_checked(2)?;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str) -> String {
        match route(path) {
            None => "refused".to_owned(),
            Some(Route::Other) => "other".to_owned(),
            Some(Route::Resource(r)) => format!(
                "{}|{}|{}|{}|{}|{}|{}|{}",
                r.group,
                r.version,
                r.namespace.unwrap_or_default(),
                r.resource,
                r.name.unwrap_or_default(),
                r.subresource,
                r.rest,
                r.prefix
            ),
        }
    }

    #[test]
    fn paths() {
        let table = [
            ("/api/v1/pods", "|v1||pods||||/api/v1/pods"),
            ("/api/v1/namespaces", "|v1||namespaces||||/api/v1/namespaces"),
            ("/api/v1/namespaces/a", "|v1||namespaces|a|||/api/v1/namespaces/a"),
            ("/api/v1/namespaces/a/finalize", "|v1||namespaces|a|finalize||/api/v1/namespaces/a/finalize"),
            ("/api/v1/namespaces/a/pods/b/log", "|v1|a|pods|b|log||/api/v1/namespaces/a/pods/b/log"),
            ("/apis/g.h/v1/namespaces/a/ks/b%2Fc", "g.h|v1|a|ks|b/c|||/apis/g.h/v1/namespaces/a/ks/b%2Fc"),
            ("/api/v1/nodes/n/proxy/a%20b/c/", "|v1||nodes|n|proxy|/a%20b/c/|/api/v1/nodes/n/proxy"),
            ("/api/v1/nodes/n/proxy/", "|v1||nodes|n|proxy|/|/api/v1/nodes/n/proxy"),
            ("/api/v1/nodes/n/proxy", "|v1||nodes|n|proxy||/api/v1/nodes/n/proxy"),
            ("/api", "other"),
            ("/api/v1", "other"),
            ("/apis/apps/v1/", "other"),
            ("/healthz", "other"),
            ("", "other"),
            ("/api/v1/pods/%zz", "refused"),
            ("/api/v1/namespaces/a/pods/b/log/c", "refused"),
        ];
        for (path, wanted) in table {
            assert_eq!(line(path), wanted, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_path_is_read_or_refused(path in ".{0,60}", part in "[a-z%/]{0,30}") {
            let _ = (route(&path), route(&format!("/api/v1/namespaces/{part}")));
        }
    }
}
