//! Probes and life-cycle hooks.

use super::container::Container;
use serde::Deserialize;
use std::time::Duration;

/// What to do to ask or tell a container something: one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Handler {
    /// Run a program in the container.
    pub exec: Option<ExecAction>,
    /// Ask a web address.
    pub http_get: Option<HttpGet>,
    /// Connect to a port.
    pub tcp_socket: Option<TcpSocket>,
    /// Do nothing for a while (hooks only).
    pub sleep: Option<Sleep>,
}

/// A program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ExecAction {
    /// Program and arguments; no shell.
    pub command: Vec<String>,
}

/// A web request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HttpGet {
    /// Path and query.
    pub path: String,
    /// Port.
    pub port: PortRef,
    /// Host; the pod's address if empty.
    pub host: String,
    /// `HTTP` (default) or `HTTPS`, whose certificate is not checked.
    pub scheme: String,
    /// Extra headers.
    pub http_headers: Vec<HttpHeader>,
}

/// A header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HttpHeader {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// A port to connect to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TcpSocket {
    /// Port.
    pub port: PortRef,
    /// Host; the pod's address if empty.
    pub host: String,
}

/// A pause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Sleep {
    /// Seconds.
    pub seconds: u64,
}

/// A port by number or by the container's name for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum PortRef {
    /// Number.
    Number(u16),
    /// Name of a declared port, or a number as text.
    Name(String),
}

impl Default for PortRef {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl PortRef {
    /// The number, looked up among the container's ports.
    pub fn number(&self, container: &Container) -> Option<u16> {
        match self {
            Self::Number(0) => None,
            Self::Number(number) => Some(*number),
            Self::Name(name) => {
                let declared = container.ports.iter().find(|p| &p.name == name).map(|p| p.container_port);
                declared.or_else(|| name.parse().ok())
            }
        }
    }
}

/// A probe: a handler with its rhythm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Probe {
    /// What to do.
    #[serde(flatten)]
    pub handler: Handler,
    /// Wait after the start, seconds.
    pub initial_delay_seconds: u64,
    period_seconds: Option<u64>,
    timeout_seconds: Option<u64>,
    success_threshold: Option<u32>,
    failure_threshold: Option<u32>,
    /// Grace when this probe ends the container.
    pub termination_grace_period_seconds: Option<u64>,
}

impl Probe {
    /// Time between two tries; default 10 s.
    pub fn period(&self) -> Duration {
        Duration::from_secs(self.period_seconds.filter(|s| *s > 0).unwrap_or(10))
    }

    /// Time one try may take; default 1 s.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.filter(|s| *s > 0).unwrap_or(1))
    }

    /// Successes in a row that count; default 1.
    pub fn successes(&self) -> u32 {
        self.success_threshold.filter(|n| *n > 0).unwrap_or(1)
    }

    /// Failures in a row that count; default 3.
    pub fn failures(&self) -> u32 {
        self.failure_threshold.filter(|n| *n > 0).unwrap_or(3)
    }
}

/// Hooks of a container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Lifecycle {
    /// Runs right after the start.
    pub post_start: Option<Handler>,
    /// Runs before the end; the grace period includes it.
    pub pre_stop: Option<Handler>,
}
