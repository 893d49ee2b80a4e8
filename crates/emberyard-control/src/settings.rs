//! What scheduler and controllers must be told.

use crate::Controller;
use crate::deployments::Deployments;
use crate::disruption::DisruptionBudgets;
use crate::endpoints::EndpointSlices;
use crate::garbage::GarbageCollector;
use crate::in_every_namespace::InEveryNamespace;
use crate::jobs::{FinishedJobs, Jobs};
use crate::namespace_life::NamespaceLife;
use crate::node_life::NodeLife;
use crate::pod_garbage::{PodGarbage, THRESHOLD};
use crate::reconcile::Loop;
use crate::replica_sets::ReplicaSets;
use crate::scheduler::Scheduler;
use crate::stateful_sets::StatefulSets;
use crate::volumes::{ClaimProtection, VolumeBinder, VolumeProtection};
use emberyard_object::Catalog;

/// Settings of all controllers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The cluster's CA certificates (PEM), published in every namespace.
    pub ca_pem: String,
    /// Folder under which volumes of class `local` are made, as agents see it.
    pub volumes_dir: String,
    /// The kinds there are: what the garbage collector and the namespace controller look after. Custom resources they learn by themselves.
    pub catalog: Catalog,
}

/// Scheduler and controllers, ready to run.
pub fn all(settings: &Settings) -> Vec<Box<dyn Controller>> {
    let Settings { ca_pem, volumes_dir, catalog } = settings;
    vec![
        Box::new(Scheduler::default()),
        Box::new(Loop::new(GarbageCollector::new(catalog))),
        Box::new(Loop::new(NamespaceLife::new(catalog))),
        Box::new(Loop::new(InEveryNamespace::service_account())),
        Box::new(Loop::new(InEveryNamespace::root_ca(ca_pem))),
        Box::new(Loop::new(EndpointSlices)),
        Box::new(Loop::new(VolumeBinder::new(volumes_dir.clone()))),
        Box::new(Loop::new(ClaimProtection)),
        Box::new(Loop::new(VolumeProtection)),
        Box::new(Loop::new(NodeLife::default())),
        Box::new(Loop::new(PodGarbage::new(THRESHOLD))),
        Box::new(Loop::new(StatefulSets)),
        Box::new(Loop::new(DisruptionBudgets)),
        Box::new(Loop::new(ReplicaSets::default())),
        Box::new(Loop::new(Deployments)),
        Box::new(Loop::new(Jobs::default())),
        Box::new(Loop::new(FinishedJobs)),
    ]
}
