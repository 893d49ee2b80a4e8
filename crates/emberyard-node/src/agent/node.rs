//! What all parts of one agent share.

use super::events::Events;
use super::limits::Figures;
use crate::cluster::ClusterView;
use crate::config::AgentConfig;
use crate::dns::LocalPods;
use crate::kubelet::Registry;
use crate::net::address::{CLUSTER_DNS, CLUSTER_DOMAIN};
use crate::net::ipam::Ipam;
use crate::tasks::Tasks;
use emberyard_client::Client;
use emberyard_image::Store;
use emberyard_model::Timestamp;
use emberyard_pod::{Facts, ServiceFact};
use emberyard_sandbox::NodeHolder;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// One agent.
pub(crate) struct Node {
    pub config: AgentConfig,
    pub client: Client,
    pub store: Store,
    pub holder: NodeHolder,
    pub ipam: Mutex<Ipam>,
    pub cluster: ClusterView,
    pub local_pods: Arc<RwLock<LocalPods>>,
    pub events: Events,
    pub registry: Registry,
    pub figures: Figures,
    pub tasks: Tasks,
}

impl Node {
    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.config.clock)()
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        self.config.node_name.as_str()
    }

    /// The folder of a pod.
    pub fn pod_dir(&self, uid: &str) -> PathBuf {
        self.config.dir.join("pods").join(uid)
    }

    /// The address table.
    pub fn ipam(&self) -> MutexGuard<'_, Ipam> {
        self.ipam.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes (or forgets) which namespace's pod has an address, for reverse names.
    pub fn note_pod(&self, address: Ipv4Addr, namespace: Option<&str>) {
        let mut pods = self.local_pods.write().unwrap_or_else(PoisonError::into_inner);
        match namespace {
            Some(namespace) => pods.insert(address, namespace.to_owned()),
            None => pods.remove(&address),
        };
    }

    /// What a pod's environment is made from.
    pub fn facts(&self, pod_ip: Option<Ipv4Addr>) -> Facts {
        let cluster = self.cluster.borrow().clone();
        let services = cluster.services.iter().filter_map(|((namespace, name), service)| {
            let ports = service.ports.iter().map(|p| (p.name.clone(), p.port, p.protocol.clone()));
            Some(ServiceFact {
                name: name.clone(),
                namespace: namespace.clone(),
                address: service.address?,
                ports: ports.collect(),
            })
        });
        let api = cluster.services.get(&("default".to_owned(), "kubernetes".to_owned()));
        let api = api.and_then(|s| Some((s.address?, s.ports.first()?.port)));
        Facts {
            node_name: self.name().to_owned(),
            host_ip: Some(self.config.number.node_ip()),
            pod_ip,
            allocatable: self.config.capacity,
            services: services.collect(),
            // Before the first word from the API server its address is known all the same.
            api: Some(api.unwrap_or((Ipv4Addr::new(10, 96, 0, 1), 443))),
            dns: Some(CLUSTER_DNS),
            domain: CLUSTER_DOMAIN.to_owned(),
        }
    }

    /// Where a path of hostPath and local volumes lies on the machine: in a folder that was allowed, else below the
    /// node's own folder. The second value tells whether it was allowed by name.
    pub fn host_path(&self, path: &str) -> (PathBuf, bool) {
        let parts: Vec<&str> = path.split('/').filter(|p| !matches!(*p, "" | "." | "..")).collect();
        let clean = format!("/{}", parts.join("/"));
        let covers = |prefix: &str| {
            let prefix = prefix.trim_end_matches('/');
            clean.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let longest = self.config.mounts.iter().filter_map(|(p, real)| Some((p.len(), real, covers(p)?))).max();
        match longest {
            Some((_, real, "")) => (real.clone(), true),
            Some((_, real, rest)) => (real.join(rest.trim_start_matches('/')), true),
            None => (self.config.dir.join("hostpath").join(clean.trim_start_matches('/')), false),
        }
    }
}
