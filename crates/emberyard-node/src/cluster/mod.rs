//! What the agent knows of the cluster: its services, used by DNS, service forwarding and pods' environment, and who may
//! connect to whom. Read from watches. It outlives the API server: without it the last known state goes on.

mod endpoints;
mod follow;
mod service;

pub(crate) use endpoints::{Endpoint, Slice};
use follow::NETWORK;
pub(crate) use follow::follow;
pub(crate) use service::{Service, ServicePort};

use emberyard_pod::network::{Member, Network, Policy, Protocol};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::sync::watch;

/// Namespace and name.
pub(crate) type Key = (String, String);

/// All services and where they lead, and what decides who may connect to whom.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cluster {
    /// Services.
    pub services: BTreeMap<Key, Service>,
    /// Endpoint slices by their own key.
    pub slices: BTreeMap<Key, Slice>,
    /// Network policies.
    pub policies: BTreeMap<Key, Policy>,
    /// Labels of namespaces; these have no namespace themselves.
    pub namespaces: BTreeMap<Key, Value>,
    /// Pods that have an address of their own.
    pub members: BTreeMap<Key, Member>,
    /// What was listed at least once, by its path.
    listed: BTreeSet<&'static str>,
}

/// The newest state, to read and to wait for.
pub(crate) type ClusterView = watch::Receiver<Arc<Cluster>>;

impl Cluster {
    /// Whether all that decides who may connect to whom has been heard of: of a part of it nothing follows.
    pub fn knows_network(&self) -> bool {
        NETWORK.iter().all(|path| self.listed.contains(path))
    }

    /// Who may connect to whom.
    pub fn network(&self) -> Network<'_> {
        Network {
            policies: self.policies.values().collect(),
            namespaces: self.namespaces.iter().map(|((_, name), labels)| (name.as_str(), labels)).collect(),
            members: self.members.values().collect(),
        }
    }

    /// Of endpoints, those to which policies let TCP pass from an address.
    pub fn permitted(&self, from: Ipv4Addr, targets: &mut Vec<(Ipv4Addr, u16)>) {
        if !self.policies.is_empty() {
            let network = self.network();
            targets.retain(|(to, port)| network.permits((from, *to), Protocol::Tcp, *port));
        }
    }

    /// Endpoints of a service, with the ports of their slice.
    pub fn endpoints<'a>(&'a self, key: &'a Key) -> impl Iterator<Item = (&'a Slice, &'a Endpoint)> {
        let slices = self.slices.values().filter(move |s| s.namespace == key.0 && s.service == key.1);
        slices.flat_map(|slice| slice.endpoints.iter().map(move |e| (slice, e)))
    }

    /// Addresses and ports behind a service's port, those that are ready; if there are none, those that still serve
    /// while they end.
    pub fn targets(&self, key: &Key, port: &ServicePort) -> Vec<(Ipv4Addr, u16)> {
        let pick = |wanted: fn(&Endpoint) -> bool| {
            let mut found: Vec<(Ipv4Addr, u16)> = self
                .endpoints(key)
                .filter(|(_, endpoint)| wanted(endpoint))
                .filter_map(|(slice, endpoint)| {
                    let number = slice.ports.iter().find(|p| p.0 == port.name && p.2 == port.protocol)?.1;
                    Some(endpoint.addresses.iter().map(move |a| (*a, number)))
                })
                .flatten()
                .collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        let ready = pick(|e| e.ready);
        if ready.is_empty() { pick(|e| e.serving) } else { ready }
    }
}
