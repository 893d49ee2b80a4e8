//! Defaults that hold always: definition, field, value.

use super::{Members, put};
use serde_json::{Value, json};

enum Default {
    Text(&'static str),
    Number(i64),
    Flag(bool),
    Empty,
}

use Default::{Empty, Flag, Number, Text};

const TABLE: &[(&str, &[(&str, Default)])] = &[
    (
        "core.v1.PodSpec",
        &[
            ("dnsPolicy", Text("ClusterFirst")),
            ("restartPolicy", Text("Always")),
            ("terminationGracePeriodSeconds", Number(30)),
            ("securityContext", Empty),
            ("schedulerName", Text("default-scheduler")),
        ],
    ),
    ("core.v1.PodStatus", &[("phase", Text("Pending"))]),
    ("core.v1.Container", CONTAINER),
    ("core.v1.EphemeralContainer", CONTAINER),
    (
        "core.v1.Probe",
        &[
            ("timeoutSeconds", Number(1)),
            ("periodSeconds", Number(10)),
            ("successThreshold", Number(1)),
            ("failureThreshold", Number(3)),
        ],
    ),
    ("core.v1.HTTPGetAction", &[("path", Text("/")), ("scheme", Text("HTTP"))]),
    ("core.v1.GRPCAction", &[("service", Text(""))]),
    ("core.v1.ObjectFieldSelector", &[("apiVersion", Text("v1"))]),
    ("core.v1.ResourceFieldSelector", &[("divisor", Text("0"))]),
    ("core.v1.SecretVolumeSource", MODE),
    ("core.v1.ConfigMapVolumeSource", MODE),
    ("core.v1.DownwardAPIVolumeSource", MODE),
    ("core.v1.ProjectedVolumeSource", MODE),
    ("core.v1.ServiceAccountTokenProjection", &[("expirationSeconds", Number(3600))]),
    ("core.v1.HostPathVolumeSource", &[("type", Text(""))]),
    ("core.v1.PersistentVolumeClaimSpec", &[("volumeMode", Text("Filesystem"))]),
    ("core.v1.PersistentVolumeClaimStatus", &[("phase", Text("Pending"))]),
    (
        "core.v1.PersistentVolumeSpec",
        &[("volumeMode", Text("Filesystem")), ("persistentVolumeReclaimPolicy", Text("Retain"))],
    ),
    ("core.v1.PersistentVolumeStatus", &[("phase", Text("Pending"))]),
    ("core.v1.NamespaceStatus", &[("phase", Text("Active"))]),
    ("core.v1.Secret", &[("type", Text("Opaque"))]),
    ("core.v1.ServiceSpec", &[("sessionAffinity", Text("None")), ("type", Text("ClusterIP"))]),
    ("core.v1.ServicePort", &[("protocol", Text("TCP"))]),
    ("core.v1.EndpointPort", &[("protocol", Text("TCP"))]),
    ("core.v1.Event", &[("reportingComponent", Text("")), ("reportingInstance", Text(""))]),
    ("discovery.v1.EndpointPort", &[("name", Text("")), ("protocol", Text("TCP"))]),
    ("networking.v1.NetworkPolicyPort", &[("protocol", Text("TCP"))]),
    ("rbac.v1.RoleRef", &[("apiGroup", Text("rbac.authorization.k8s.io"))]),
    ("scheduling.v1.PriorityClass", &[("preemptionPolicy", Text("PreemptLowerPriority"))]),
    ("storage.v1.StorageClass", &[("reclaimPolicy", Text("Delete")), ("volumeBindingMode", Text("Immediate"))]),
    (
        "apps.v1.DeploymentSpec",
        &[("replicas", Number(1)), ("revisionHistoryLimit", Number(10)), ("progressDeadlineSeconds", Number(600))],
    ),
    ("apps.v1.DeploymentStrategy", &[("type", Text("RollingUpdate"))]),
    ("apps.v1.RollingUpdateDeployment", &[("maxSurge", Text("25%")), ("maxUnavailable", Text("25%"))]),
    ("apps.v1.ReplicaSetSpec", &[("replicas", Number(1))]),
    (
        "apps.v1.StatefulSetSpec",
        &[
            ("replicas", Number(1)),
            ("revisionHistoryLimit", Number(10)),
            ("podManagementPolicy", Text("OrderedReady")),
            ("persistentVolumeClaimRetentionPolicy", Empty),
        ],
    ),
    (
        "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy",
        &[("whenDeleted", Text("Retain")), ("whenScaled", Text("Retain"))],
    ),
    ("apps.v1.StatefulSetUpdateStrategy", &[("type", Text("RollingUpdate"))]),
    ("apps.v1.RollingUpdateStatefulSetStrategy", &[("partition", Number(0)), ("maxUnavailable", Number(1))]),
    ("apps.v1.StatefulSetStatus", &[("availableReplicas", Number(0))]),
    (
        "batch.v1.JobSpec",
        &[("completionMode", Text("NonIndexed")), ("suspend", Flag(false)), ("manualSelector", Flag(false))],
    ),
    (
        "policy.v1.PodDisruptionBudgetStatus",
        &[
            ("currentHealthy", Number(0)),
            ("desiredHealthy", Number(0)),
            ("disruptionsAllowed", Number(0)),
            ("expectedPods", Number(0)),
        ],
    ),
    ("batch.v1.PodFailurePolicyOnPodConditionsPattern", &[("status", Text("True"))]),
    ("authentication.v1.TokenRequestSpec", &[("expirationSeconds", Number(3600))]),
];

const CONTAINER: &[(&str, Default)] =
    &[("terminationMessagePath", Text("/dev/termination-log")), ("terminationMessagePolicy", Text("File"))];
const MODE: &[(&str, Default)] = &[("defaultMode", Number(0o644))];
/// Pods only, not pod templates.
const POD_SPEC: &[(&str, Default)] = &[("enableServiceLinks", Flag(true))];

/// Fills in what the table has for the definition.
pub fn fill(definition: &str, members: &mut Members) {
    for (_, defaults) in TABLE.iter().filter(|(name, _)| *name == definition) {
        fill_from(members, defaults);
    }
    if definition == "core.v1.Pod"
        && let Some(Value::Object(spec)) = members.get_mut("spec")
    {
        fill_from(spec, POD_SPEC);
    }
}

fn fill_from(members: &mut Members, defaults: &[(&str, Default)]) {
    for (field, default) in defaults {
        let value = match default {
            Text(text) => json!(text),
            Number(number) => json!(number),
            Flag(flag) => json!(flag),
            Empty => json!({}),
        };
        put(members, field, value);
    }
}
