//! Containers, as far as an agent acts on them.

use super::handler::{Lifecycle, Probe};
use emberyard_model::Quantity;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Name, unique in the pod.
    pub name: String,
    /// Image reference as asked.
    pub image: String,
    /// `Always`, `IfNotPresent`, `Never`.
    pub image_pull_policy: String,
    /// Replaces the image's entrypoint.
    pub command: Vec<String>,
    /// Replaces the image's command.
    pub args: Vec<String>,
    /// Working folder.
    pub working_dir: String,
    /// Declared ports.
    pub ports: Vec<ContainerPort>,
    /// Environment.
    pub env: Vec<EnvVar>,
    /// Environment from whole objects.
    pub env_from: Vec<EnvFrom>,
    /// Requests and limits.
    pub resources: ResourceNeeds,
    /// Volumes at paths.
    pub volume_mounts: Vec<VolumeMount>,
    /// Restarted when this fails.
    pub liveness_probe: Option<Probe>,
    /// Taken out of services while this fails.
    pub readiness_probe: Option<Probe>,
    /// Must pass once before the other two begin.
    pub startup_probe: Option<Probe>,
    /// Hooks.
    pub lifecycle: Lifecycle,
    /// Security.
    pub security_context: SecurityContext,
    /// Keeps stdin open for `attach`.
    pub stdin: bool,
    /// Closes stdin after the first `attach`.
    pub stdin_once: bool,
    /// Gives it a terminal.
    pub tty: bool,
    /// `Always` makes an init container a sidecar.
    pub restart_policy: Option<String>,
    /// Where it leaves its last words.
    pub termination_message_path: String,
    /// `File` or `FallbackToLogsOnError`.
    pub termination_message_policy: String,
}

impl Container {
    /// An init container that keeps running beside the others.
    pub fn is_sidecar(&self) -> bool {
        self.restart_policy.as_deref() == Some("Always")
    }
}

/// A declared port.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerPort {
    /// Name.
    pub name: String,
    /// Number.
    pub container_port: u16,
    /// `TCP` (default), `UDP`.
    pub protocol: String,
}

/// One environment variable.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EnvVar {
    /// Name.
    pub name: String,
    /// Value; `$(NAME)` is expanded.
    pub value: Option<String>,
    /// Where the value comes from instead.
    pub value_from: Option<EnvSource>,
}

/// Where a variable's value comes from: one of these.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EnvSource {
    /// A field of the pod.
    pub field_ref: Option<FieldRef>,
    /// A resource of a container.
    pub resource_field_ref: Option<ResourceFieldRef>,
    /// A key of a ConfigMap.
    pub config_map_key_ref: Option<KeyRef>,
    /// A key of a Secret.
    pub secret_key_ref: Option<KeyRef>,
}

/// A field of the pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FieldRef {
    /// Path, for example `status.podIP`.
    pub field_path: String,
}

/// A resource of a container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceFieldRef {
    /// The container; the own one if empty.
    pub container_name: String,
    /// For example `limits.memory`.
    pub resource: String,
    /// The unit of the answer; 1 if absent or zero.
    pub divisor: Option<Quantity>,
}

/// A key of a ConfigMap or Secret.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct KeyRef {
    /// The object.
    pub name: String,
    /// The key.
    pub key: String,
    /// Whether it may be missing.
    pub optional: bool,
}

/// A whole ConfigMap or Secret.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NameRef {
    /// The object.
    pub name: String,
    /// Whether it may be missing.
    pub optional: bool,
}

/// Variables from a whole object.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EnvFrom {
    /// Put before each key.
    pub prefix: String,
    /// A ConfigMap.
    pub config_map_ref: Option<NameRef>,
    /// A Secret.
    pub secret_ref: Option<NameRef>,
}

/// Requests and limits by resource name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ResourceNeeds {
    /// What is set aside.
    pub requests: BTreeMap<String, Quantity>,
    /// What is never exceeded.
    pub limits: BTreeMap<String, Quantity>,
}

/// A volume at a path.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct VolumeMount {
    /// The volume.
    pub name: String,
    /// The path in the container.
    pub mount_path: String,
    /// A path in the volume.
    pub sub_path: String,
    /// The same with `$(NAME)` expanded.
    pub sub_path_expr: String,
    /// Read-only.
    pub read_only: bool,
}

/// Security settings of one container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SecurityContext {
    /// User id.
    pub run_as_user: Option<u32>,
    /// Group id.
    pub run_as_group: Option<u32>,
    /// Refuse uid 0.
    pub run_as_non_root: Option<bool>,
    /// The image's files cannot be changed.
    pub read_only_root_filesystem: bool,
    /// Everything allowed.
    pub privileged: bool,
    /// Whether programs may gain rights (set-user-id).
    pub allow_privilege_escalation: Option<bool>,
    /// Capabilities.
    pub capabilities: Capabilities,
    /// Filter of system calls.
    pub seccomp_profile: Option<SeccompProfile>,
}

/// A filter of system calls.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SeccompProfile {
    /// `RuntimeDefault`, `Unconfined` or `Localhost`.
    pub r#type: String,
}

/// Capabilities beside the usual ones.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Given in addition.
    pub add: Vec<String>,
    /// Taken away.
    pub drop: Vec<String>,
}
