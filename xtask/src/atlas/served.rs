//! What is served. Adding a kind is a line here (and its controllers, if it needs any).

use serde_json::Value;

/// A group and version with the resources served of it.
pub struct Served {
    pub group: &'static str,
    pub version: &'static str,
    pub resources: &'static [&'static str],
}

const fn of(group: &'static str, version: &'static str, resources: &'static [&'static str]) -> Served {
    Served { group, version, resources }
}

pub const SERVED: &[Served] = &[
    of(
        "",
        "v1",
        &[
            "bindings",
            "configmaps",
            "endpoints",
            "events",
            "namespaces",
            "nodes",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "secrets",
            "serviceaccounts",
            "services",
        ],
    ),
    of("apps", "v1", &["controllerrevisions", "deployments", "replicasets", "statefulsets"]),
    of("apiextensions.k8s.io", "v1", &["customresourcedefinitions"]),
    of("authentication.k8s.io", "v1", &["selfsubjectreviews", "tokenreviews"]),
    of(
        "authorization.k8s.io",
        "v1",
        &["localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"],
    ),
    of("batch", "v1", &["jobs"]),
    of("coordination.k8s.io", "v1", &["leases"]),
    of("discovery.k8s.io", "v1", &["endpointslices"]),
    of("events.k8s.io", "v1", &["events"]),
    of("networking.k8s.io", "v1", &["networkpolicies"]),
    of("policy", "v1", &["poddisruptionbudgets"]),
    of("rbac.authorization.k8s.io", "v1", &["clusterrolebindings", "clusterroles", "rolebindings", "roles"]),
    of("scheduling.k8s.io", "v1", &["priorityclasses"]),
    of("storage.k8s.io", "v1", &["storageclasses"]),
];

/// Subresources a real server has and this one does not, as `resource/subresource`.
pub const UNSERVED_SUBRESOURCES: &[&str] = &["pods/ephemeralcontainers", "pods/resize"];

/// Definitions that are no kind's own but come as bodies: of deletes, and of subresources.
pub const BODIES: &[&str] = &[
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
    "io.k8s.api.authentication.v1.TokenRequest",
    "io.k8s.api.policy.v1.Eviction",
];

/// Field selectors beyond name and namespace; upstream has them in Go (`pkg/apis/*/v1/conversion.go`).
pub const SELECTABLE: &[(&str, &str, &[&str])] = &[
    ("", "namespaces", &["status.phase"]),
    ("", "nodes", &["spec.unschedulable"]),
    (
        "",
        "pods",
        &[
            "spec.hostNetwork",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.nominatedNodeName",
            "status.phase",
            "status.podIP",
        ],
    ),
    ("", "secrets", &["type"]),
    ("", "services", &["spec.clusterIP", "spec.type"]),
    (
        "",
        "events",
        &[
            "involvedObject.apiVersion",
            "involvedObject.fieldPath",
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.resourceVersion",
            "involvedObject.uid",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
    (
        "events.k8s.io",
        "events",
        &[
            "reason",
            "regarding.apiVersion",
            "regarding.fieldPath",
            "regarding.kind",
            "regarding.name",
            "regarding.namespace",
            "regarding.resourceVersion",
            "regarding.uid",
            "reportingController",
            "type",
        ],
    ),
];

/// Under which group the objects of a resource are stored, where it is not their own.
pub fn stored_group(group: &str, resource: &str) -> Option<&'static str> {
    (group == "events.k8s.io" && resource == "events").then_some("")
}

/// The served resources of a group and version.
pub fn resources(group: &str, version: &str) -> &'static [&'static str] {
    SERVED
        .iter()
        .find(|served| served.group == group && served.version == version)
        .map_or(&[], |served| served.resources)
}

/// Whether the plural of the object's kind is served in its group and version.
pub fn serves_kind_of(object: &Value) -> bool {
    let api_version = object["apiVersion"].as_str().unwrap_or("");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = object["kind"].as_str().unwrap_or("").to_lowercase();
    resources(group, version).iter().any(|resource| *resource == format!("{kind}s") || *resource == format!("{kind}es"))
}
