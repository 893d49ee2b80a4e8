//! Names of the resources that controllers watch and write.

use emberyard_object::Gvr;

macro_rules! resources {
    ($($function:ident: $group:literal $resource:literal,)*) => {
        $(pub(crate) fn $function() -> Gvr {
            Gvr::new($group, "v1", $resource)
        })*
    };
}

resources! {
    config_maps: "" "configmaps",
    controller_revisions: "apps" "controllerrevisions",
    custom_resource_definitions: "apiextensions.k8s.io" "customresourcedefinitions",
    deployments: "apps" "deployments",
    endpoint_slices: "discovery.k8s.io" "endpointslices",
    events: "" "events",
    jobs: "batch" "jobs",
    leases: "coordination.k8s.io" "leases",
    namespaces: "" "namespaces",
    nodes: "" "nodes",
    persistent_volume_claims: "" "persistentvolumeclaims",
    persistent_volumes: "" "persistentvolumes",
    pod_disruption_budgets: "policy" "poddisruptionbudgets",
    pods: "" "pods",
    replica_sets: "apps" "replicasets",
    service_accounts: "" "serviceaccounts",
    services: "" "services",
    stateful_sets: "apps" "statefulsets",
    storage_classes: "storage.k8s.io" "storageclasses",
}
