//! What the agent knows of the cluster's services: read from watches, used by DNS, service forwarding and pods'
//! environment. It outlives the API server: without it the last known state goes on.

mod endpoints;
mod follow;
mod service;

pub(crate) use endpoints::{Endpoint, Slice};
pub(crate) use follow::follow;
pub(crate) use service::{Service, ServicePort};

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::sync::watch;

/// Namespace and name.
pub(crate) type Key = (String, String);

/// All services and where they lead.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cluster {
    /// Services.
    pub services: BTreeMap<Key, Service>,
    /// Endpoint slices by their own key.
    pub slices: BTreeMap<Key, Slice>,
}

/// The newest state, to read and to wait for.
pub(crate) type ClusterView = watch::Receiver<Arc<Cluster>>;

impl Cluster {
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
