//! Keeps [`Cluster`] up to date.

use super::{Cluster, ClusterView, Key, Service, Slice};
use crate::tasks::Tasks;
use emberyard_client::{Client, WatchEvent};
use emberyard_pod::network::{Member, Policy};
use futures::StreamExt;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::watch;

/// Where what decides who may connect to whom is found: policies, namespaces, pods.
pub(super) const NETWORK: [&str; 3] =
    ["/apis/networking.k8s.io/v1/networkpolicies", "/api/v1/namespaces", "/api/v1/pods"];

/// Starts following services and endpoint slices; and network policies, namespaces and pods as somebody who may.
pub(crate) fn follow(client: &Client, network: &Client, tasks: &Tasks) -> ClusterView {
    let (sender, view) = watch::channel(Arc::new(Cluster::default()));
    let sender = Arc::new(sender);
    let read_service = |object: &Value| Some(Service::read(object));
    tasks.spawn(keep(client.clone(), "/api/v1/services", sender.clone(), read_service, |c| &mut c.services));
    let slices = "/apis/discovery.k8s.io/v1/endpointslices";
    tasks.spawn(keep(client.clone(), slices, sender.clone(), Slice::read, |c| &mut c.slices));
    let [policies, namespaces, pods] = NETWORK;
    tasks.spawn(keep(network.clone(), policies, sender.clone(), Policy::read, |c| &mut c.policies));
    let labels = |object: &Value| Some(object["metadata"]["labels"].clone());
    tasks.spawn(keep(network.clone(), namespaces, sender.clone(), labels, |c| &mut c.namespaces));
    tasks.spawn(keep(network.clone(), pods, sender, Member::read, |c| &mut c.members));
    view
}

type Table<T> = std::collections::BTreeMap<Key, T>;

async fn keep<T: PartialEq + Clone>(
    client: Client,
    path: &'static str,
    sender: Arc<watch::Sender<Arc<Cluster>>>,
    read: impl Fn(&Value) -> Option<T>,
    table: impl Fn(&mut Cluster) -> &mut Table<T>,
) {
    let mut events = client.watch(path, &[]);
    while let Some(event) = events.next().await {
        sender.send_if_modified(|cluster| {
            let cluster = Arc::make_mut(cluster);
            let first = matches!(event, WatchEvent::Restarted(_)) && cluster.listed.insert(path);
            let table = table(cluster);
            let changed = match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => match read(&object) {
                    Some(value) => table.insert(key(&object), value.clone()).as_ref() != Some(&value),
                    None => table.remove(&key(&object)).is_some(),
                },
                WatchEvent::Deleted(object) => table.remove(&key(&object)).is_some(),
                WatchEvent::Restarted(objects) => {
                    let fresh: Table<T> = objects.iter().filter_map(|o| Some((key(o), read(o)?))).collect();
                    let changed = *table != fresh;
                    *table = fresh;
                    changed
                }
                WatchEvent::Bookmark(_) => false,
            };
            first || changed
        });
    }
}

fn key(object: &Value) -> Key {
    let field = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    (field("namespace"), field("name"))
}
