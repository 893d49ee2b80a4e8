//! A service as far as a node needs it.

use serde_json::Value;
use std::net::Ipv4Addr;
use std::time::Duration;

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    /// Its address; none for headless and external ones.
    pub address: Option<Ipv4Addr>,
    /// `clusterIP: None`.
    pub headless: bool,
    /// Name that an `ExternalName` service stands for.
    pub external: Option<String>,
    /// Ports.
    pub ports: Vec<ServicePort>,
    /// Endpoints count before they are ready.
    pub publish_not_ready: bool,
    /// A client keeps its endpoint for this long after its last connection.
    pub affinity: Option<Duration>,
}

/// A service's port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServicePort {
    /// Name; may be empty.
    pub name: String,
    /// Number.
    pub port: u16,
    /// `TCP`, `UDP`.
    pub protocol: String,
}

pub(super) fn text(value: &Value, default: &str) -> String {
    value.as_str().unwrap_or(default).to_owned()
}

pub(super) fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|n| u16::try_from(n).ok())
}

impl Service {
    /// Reads a Service object.
    pub fn read(object: &Value) -> Self {
        let spec = &object["spec"];
        let address = spec["clusterIP"].as_str().unwrap_or_default();
        let ports = spec["ports"].as_array().into_iter().flatten().filter_map(|p| {
            Some(ServicePort {
                name: text(&p["name"], ""),
                port: number(&p["port"])?,
                protocol: text(&p["protocol"], "TCP"),
            })
        });
        let seconds = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"].as_u64().unwrap_or(10_800);
        Self {
            address: address.parse().ok(),
            headless: address == "None",
            external: (spec["type"] == "ExternalName").then(|| text(&spec["externalName"], "")),
            ports: ports.collect(),
            publish_not_ready: spec["publishNotReadyAddresses"].as_bool().unwrap_or_default(),
            affinity: (spec["sessionAffinity"] == "ClientIP").then(|| Duration::from_secs(seconds)),
        }
    }
}
