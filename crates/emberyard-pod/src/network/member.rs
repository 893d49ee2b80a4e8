//! A pod as others see it on the network.

use super::{Ports, Protocol};
use serde_json::Value;
use std::net::Ipv4Addr;

/// A port of a container that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortName {
    /// Unique in its pod.
    pub name: String,
    /// The port alone.
    pub port: Ports,
}

/// A pod that has an address of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its namespace.
    pub namespace: String,
    /// `metadata.labels`.
    pub labels: Value,
    /// Where it is reached.
    pub address: Ipv4Addr,
    /// The node that it runs on.
    pub node: String,
    /// `metadata.uid`.
    pub uid: String,
    /// Its named ports.
    pub ports: Vec<PortName>,
}

impl Member {
    /// Reads a Pod object; `None` where it has no address yet, has it no more, or has its node's.
    pub fn read(pod: &Value) -> Option<Self> {
        let over = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        let address = pod["status"]["podIP"].as_str().and_then(|text| text.parse().ok())?;
        if over { None } else { Self::at(pod, address) }
    }

    /// The same where the address is known already.
    pub fn at(pod: &Value, address: Ipv4Addr) -> Option<Self> {
        let (meta, spec) = (&pod["metadata"], &pod["spec"]);
        if spec["hostNetwork"] == true {
            return None;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = ["initContainers", "containers"].into_iter().filter_map(|list| spec[list].as_array()).flatten();
        let ports = all.filter_map(|container| container["ports"].as_array()).flatten().filter_map(|port| {
            let number = u16::try_from(port["containerPort"].as_u64()?).ok()?;
            let protocol = Protocol::read(port["protocol"].as_str())?;
            Some(PortName {
                name: port["name"].as_str()?.to_owned(),
                port: Ports { protocol, first: number, last: number },
            })
        });
        Some(Self {
            namespace: text(&meta["namespace"]),
            labels: meta["labels"].clone(),
            address,
            node: text(&spec["nodeName"]),
            uid: text(&meta["uid"]),
            ports: ports.collect(),
        })
    }

    /// The number of a named port.
    pub(super) fn port(&self, protocol: Protocol, name: &str) -> Option<Ports> {
        self.ports
            .iter()
            .map(|one| (&one.name, one.port))
            .find_map(|(known, port)| (known == name && port.protocol == protocol).then_some(port))
    }
}
