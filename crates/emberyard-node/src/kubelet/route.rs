//! Paths of the kubelet port.

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// Alive?
    Health,
    /// All pods.
    Pods,
    /// Figures.
    Stats,
    /// A container's log.
    Logs(Target),
    /// A command in a container.
    Exec(Target),
    /// A container's own streams.
    Attach(Target),
    /// Connections to a pod's ports.
    PortForward { namespace: String, pod: String },
    /// Known, but not offered.
    NotOffered,
    /// Not known.
    Unknown,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub namespace: String,
    pub pod: String,
    pub container: String,
}

/// Reads a path. Pods may be named with or without their uid.
pub(super) fn route(path: &str) -> Route {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let target = |namespace: &str, pod: &str, container: &str| Target {
        namespace: namespace.to_owned(),
        pod: pod.to_owned(),
        container: container.to_owned(),
    };
    match parts.as_slice() {
        ["healthz"] => Route::Health,
        ["pods"] => Route::Pods,
        ["stats", "summary"] => Route::Stats,
        ["containerLogs", namespace, pod, container] => Route::Logs(target(namespace, pod, container)),
        ["exec", namespace, pod, container] | ["exec", namespace, pod, _, container] => {
            Route::Exec(target(namespace, pod, container))
        }
        ["attach", namespace, pod, container] | ["attach", namespace, pod, _, container] => {
            Route::Attach(target(namespace, pod, container))
        }
        ["portForward", namespace, pod] | ["portForward", namespace, pod, _] => {
            Route::PortForward { namespace: (*namespace).to_owned(), pod: (*pod).to_owned() }
        }
        ["run" | "logs" | "metrics" | "configz", ..] => Route::NotOffered,
        _ => Route::Unknown,
    }
}

/// The query's pairs, in order.
pub(super) fn query(uri: &http::Uri) -> Vec<(String, String)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

/// Whether a switch is on: `1` or `true`.
pub(super) fn is_on(query: &[(String, String)], name: &str) -> bool {
    query.iter().any(|(k, v)| k == name && matches!(v.as_str(), "1" | "true"))
}

/// A value.
pub(super) fn value<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let target = Target { namespace: "n".into(), pod: "p".into(), container: "c".into() };
        for (path, expected) in [
            ("/healthz", Route::Health),
            ("/containerLogs/n/p/c", Route::Logs(target.clone())),
            ("/exec/n/p/c", Route::Exec(target.clone())),
            ("/exec/n/p/uid/c", Route::Exec(target.clone())),
            ("/attach/n/p/c", Route::Attach(target)),
            ("/portForward/n/p", Route::PortForward { namespace: "n".into(), pod: "p".into() }),
            ("/portForward/n/p/uid", Route::PortForward { namespace: "n".into(), pod: "p".into() }),
            ("/run/n/p/c", Route::NotOffered),
            ("/containerLogs/n/p", Route::Unknown),
            ("/", Route::Unknown),
        ] {
            assert_eq!(route(path), expected, "{path}");
        }
    }
}
