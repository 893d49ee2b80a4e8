//! An EndpointSlice as far as a node needs it.

use super::service::{number, text};
use serde_json::Value;
use std::net::Ipv4Addr;

/// A slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Its namespace.
    pub namespace: String,
    /// The service it belongs to.
    pub service: String,
    /// Name, number, protocol.
    pub ports: Vec<(String, u16, String)>,
    /// Endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// Host name of the pod, if it has one in this service.
    pub hostname: Option<String>,
    /// Takes new connections.
    pub ready: bool,
    /// Can still answer, though it may be ending.
    pub serving: bool,
}

impl Slice {
    /// Reads an EndpointSlice object; `None` for slices of no service or of IPv6.
    pub fn read(object: &Value) -> Option<Self> {
        if object["addressType"] != "IPv4" {
            return None;
        }
        let meta = &object["metadata"];
        let service = meta["labels"]["kubernetes.io/service-name"].as_str()?;
        let ports = object["ports"].as_array().into_iter().flatten();
        let ports =
            ports.filter_map(|p| Some((text(&p["name"], ""), number(&p["port"])?, text(&p["protocol"], "TCP"))));
        let endpoints = object["endpoints"].as_array().into_iter().flatten().map(|e| {
            let addresses = e["addresses"].as_array().into_iter().flatten();
            let ready = e["conditions"]["ready"].as_bool().unwrap_or(true);
            Endpoint {
                addresses: addresses.filter_map(|a| a.as_str()?.parse().ok()).collect(),
                hostname: e["hostname"].as_str().map(str::to_owned),
                ready,
                serving: e["conditions"]["serving"].as_bool().unwrap_or(ready),
            }
        });
        Some(Self {
            namespace: text(&meta["namespace"], ""),
            service: service.to_owned(),
            ports: ports.collect(),
            endpoints: endpoints.collect(),
        })
    }
}
