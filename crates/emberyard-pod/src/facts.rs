//! What a pod's environment and files are made from, beside the pod itself.

use emberyard_model::Resources;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Facts of the node and the network.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The node's name.
    pub node_name: String,
    /// The node's address.
    pub host_ip: Option<Ipv4Addr>,
    /// The pod's address.
    pub pod_ip: Option<Ipv4Addr>,
    /// What the node offers to pods: a container without a limit gets this.
    pub allocatable: Resources,
    /// Services the pod gets variables for.
    pub services: Vec<ServiceFact>,
    /// Address and port of the API server inside the cluster.
    pub api: Option<(Ipv4Addr, u16)>,
    /// The cluster's DNS.
    pub dns: Option<Ipv4Addr>,
    /// The cluster's domain.
    pub domain: String,
}

/// A service with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFact {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// ClusterIP.
    pub address: Ipv4Addr,
    /// Name (maybe empty), number, protocol.
    pub ports: Vec<(String, u16, String)>,
}

/// ConfigMaps and Secrets of the pod's namespace, as far as they exist.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// By name.
    pub config_maps: BTreeMap<String, Value>,
    /// By name.
    pub secrets: BTreeMap<String, Value>,
}

impl Sources {
    /// The entries of a ConfigMap, text and binary.
    pub(crate) fn config_map(&self, name: &str) -> Option<BTreeMap<String, Vec<u8>>> {
        let object = self.config_maps.get(name)?;
        let mut entries = decoded(&object["binaryData"]);
        for (key, value) in object["data"].as_object().into_iter().flatten() {
            entries.insert(key.clone(), value.as_str().unwrap_or_default().as_bytes().to_vec());
        }
        Some(entries)
    }

    /// The entries of a Secret.
    pub(crate) fn secret(&self, name: &str) -> Option<BTreeMap<String, Vec<u8>>> {
        Some(decoded(&self.secrets.get(name)?["data"]))
    }
}

fn decoded(value: &Value) -> BTreeMap<String, Vec<u8>> {
    use base64::Engine as _;
    let mut entries = BTreeMap::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str().unwrap_or_default());
        entries.insert(key.clone(), bytes.unwrap_or_default());
    }
    entries
}
