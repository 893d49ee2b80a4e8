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
    custom_resource_definitions: "apiextensions.k8s.io" "customresourcedefinitions",
    endpoint_slices: "discovery.k8s.io" "endpointslices",
    events: "" "events",
    leases: "coordination.k8s.io" "leases",
    namespaces: "" "namespaces",
    nodes: "" "nodes",
    persistent_volume_claims: "" "persistentvolumeclaims",
    persistent_volumes: "" "persistentvolumes",
    pods: "" "pods",
    service_accounts: "" "serviceaccounts",
    services: "" "services",
    storage_classes: "storage.k8s.io" "storageclasses",
}
