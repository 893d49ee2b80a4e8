//! The parts of a pod that an agent acts on, read once from the object.

mod container;
mod handler;
mod volume;

pub use container::{
    Capabilities, Container, ContainerPort, EnvFrom, EnvSource, EnvVar, FieldRef, KeyRef, NameRef, ResourceFieldRef,
    ResourceNeeds, SeccompProfile, SecurityContext, VolumeMount,
};
pub use handler::{ExecAction, Handler, HttpGet, HttpHeader, Lifecycle, PortRef, Probe, Sleep, TcpSocket};
pub use volume::{DownwardItem, FileItem, Projection, Volume, VolumeKind};

use crate::error::PodError;
use emberyard_model::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Pod {
    /// Identity.
    pub metadata: Meta,
    /// What shall run.
    pub spec: PodSpec,
    /// What the API server knows of it, as it is.
    pub status: Value,
}

/// The metadata an agent reads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Meta {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Unique id.
    pub uid: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Set once deletion was asked for: the time by which it shall be done.
    pub deletion_timestamp: Option<Timestamp>,
    /// Seconds between the deletion's request and its deadline.
    pub deletion_grace_period_seconds: Option<u64>,
}

/// A pod's specification.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodSpec {
    /// Containers that run side by side.
    pub containers: Vec<Container>,
    /// Containers that run before them, one after the other.
    pub init_containers: Vec<Container>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// `Always` (default), `OnFailure` or `Never`.
    pub restart_policy: RestartPolicy,
    /// The node it is bound to.
    pub node_name: String,
    /// Host name inside the pod; default the pod's name.
    pub hostname: String,
    /// Subdomain of the host name.
    pub subdomain: String,
    /// Whether `hostname` gives the fully qualified name.
    #[serde(rename = "setHostnameAsFQDN")]
    pub set_hostname_as_fqdn: bool,
    /// Uses the node's network.
    pub host_network: bool,
    /// `ClusterFirst` (default), `ClusterFirstWithHostNet`, `Default`, `None`.
    pub dns_policy: String,
    /// Additions to resolv.conf.
    pub dns_config: DnsConfig,
    /// Additions to /etc/hosts.
    pub host_aliases: Vec<HostAlias>,
    /// Environment variables for each service; default yes.
    pub enable_service_links: Option<bool>,
    /// Service account.
    pub service_account_name: String,
    /// Security of all containers.
    pub security_context: PodSecurity,
    /// Default grace, seconds; 30 if absent.
    pub termination_grace_period_seconds: Option<u64>,
    /// Life span from the start, seconds.
    pub active_deadline_seconds: Option<u64>,
    /// Conditions others must set before the pod counts as ready.
    pub readiness_gates: Vec<ReadinessGate>,
    /// Resources beside those of the containers.
    pub overhead: BTreeMap<String, emberyard_model::Quantity>,
}

/// When containers are started again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum RestartPolicy {
    /// Always.
    #[default]
    Always,
    /// After an exit code other than 0.
    OnFailure,
    /// Never.
    Never,
}

/// Additions to resolv.conf.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DnsConfig {
    /// Name servers.
    pub nameservers: Vec<String>,
    /// Search domains.
    pub searches: Vec<String>,
    /// Options.
    pub options: Vec<DnsOption>,
}

/// One option of resolv.conf.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct DnsOption {
    /// Name.
    pub name: String,
    /// Value, if it has one.
    pub value: Option<String>,
}

/// A line of /etc/hosts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct HostAlias {
    /// Address.
    pub ip: String,
    /// Names.
    pub hostnames: Vec<String>,
}

/// A condition another party sets.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ReadinessGate {
    /// The condition's type.
    pub condition_type: String,
}

/// Security settings of all containers of a pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodSecurity {
    /// User id.
    pub run_as_user: Option<u32>,
    /// Group id.
    pub run_as_group: Option<u32>,
    /// Refuse uid 0.
    pub run_as_non_root: Option<bool>,
    /// Group that owns the volumes.
    pub fs_group: Option<u32>,
    /// Further groups.
    pub supplemental_groups: Vec<u32>,
    /// Kernel settings of the pod.
    pub sysctls: Vec<Sysctl>,
    /// Filter of system calls of containers that say nothing of their own.
    pub seccomp_profile: Option<SeccompProfile>,
}

/// A kernel setting.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Sysctl {
    /// Dotted name.
    pub name: String,
    /// Value.
    pub value: String,
}

impl Pod {
    /// Reads a pod object. `null` fields count as absent.
    ///
    /// # Errors
    /// [`PodError::Unreadable`] when a field has another type than the API gives it.
    pub fn read(object: &Value) -> Result<Self, PodError> {
        serde_json::from_value(without_nulls(object)).map_err(|e| PodError::Unreadable(e.to_string()))
    }

    /// Whether its deletion was asked for.
    pub fn is_deleting(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// How long containers may take to end: the deletion's own figure, else the pod's, else 30 s.
    pub fn grace(&self) -> Duration {
        let seconds = if self.is_deleting() { self.metadata.deletion_grace_period_seconds } else { None };
        Duration::from_secs(seconds.or(self.spec.termination_grace_period_seconds).unwrap_or(30))
    }

    /// Init containers, then containers.
    pub fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.spec.init_containers.iter().chain(&self.spec.containers)
    }

    /// The container of that name, init or not.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.all_containers().find(|c| c.name == name)
    }

    /// The host name inside the pod: at most 63 characters, as the kernel and DNS want.
    pub fn hostname(&self) -> String {
        let name = if self.spec.hostname.is_empty() { &self.metadata.name } else { &self.spec.hostname };
        let cut: String = name.chars().take(63).collect();
        cut.trim_end_matches(['-', '.']).to_owned()
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), without_nulls(v)));
            Value::Object(kept.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}
