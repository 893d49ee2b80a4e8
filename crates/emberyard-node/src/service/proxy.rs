//! Listeners on service addresses, kept in step with the services.

use super::balance::Balance;
use crate::bounds::Bounds;
use crate::cluster::{ClusterView, Key, ServicePort};
use crate::net::address::CLUSTER_DNS;
use crate::net::node;
use crate::tasks::Tasks;
use rustix::net::sockopt;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

const BUFFER: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(5);
/// Endpoints tried for one connection.
const TRIES: usize = 3;
/// Wait before a listener that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

type Listeners = BTreeMap<(Ipv4Addr, u16), (Key, String, AbortHandle)>;

/// Follows the services for ever.
pub(crate) async fn serve(mut cluster: ClusterView, tasks: Tasks) {
    let bounds = Bounds::of_this_process();
    let mut listeners = Listeners::new();
    let mut addresses = BTreeSet::new();
    loop {
        let complete = adjust(&cluster, &mut listeners, &mut addresses, &tasks, &bounds).await;
        let again = if complete { Duration::MAX } else { AGAIN };
        tokio::select! {
            changed = cluster.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(again) => {},
        }
    }
}

/// Brings addresses and listeners to what the services want; `false` when something could not be done yet.
async fn adjust(
    cluster: &ClusterView,
    listeners: &mut Listeners,
    addresses: &mut BTreeSet<Ipv4Addr>,
    tasks: &Tasks,
    bounds: &Bounds,
) -> bool {
    let mut wanted = BTreeMap::new();
    for (key, service) in &cluster.borrow().services {
        // The agent itself answers at the DNS address.
        let Some(address) = service.address.filter(|a| *a != CLUSTER_DNS) else { continue };
        for port in service.ports.iter().filter(|p| p.protocol == "TCP") {
            wanted.insert((address, port.port), (key.clone(), port.clone()));
        }
    }
    listeners.retain(|at, (key, name, task)| {
        let keep = wanted.get(at).is_some_and(|(k, p)| k == key && p.name == *name);
        if !keep {
            task.abort();
        }
        keep
    });
    let mut complete = true;
    let needed: BTreeSet<Ipv4Addr> = wanted.keys().map(|at| at.0).collect();
    for address in needed.difference(&addresses.clone()) {
        complete &= blocking(*address, node::add_service_address).await && addresses.insert(*address);
    }
    for address in addresses.clone().difference(&needed) {
        complete &= blocking(*address, node::remove_service_address).await && addresses.remove(address);
    }
    for (at, (key, port)) in wanted {
        if listeners.contains_key(&at) {
            continue;
        }
        match TcpListener::bind(at).await {
            Ok(listener) => {
                let task = tasks.spawn(accept(listener, cluster.clone(), key.clone(), port.clone(), bounds.clone()));
                listeners.insert(at, (key, port.name, task));
            }
            Err(error) => {
                tracing::warn!(address = %at.0, port = at.1, %error, "cannot listen for a service");
                complete = false;
            }
        }
    }
    complete
}

async fn blocking(address: Ipv4Addr, work: fn(Ipv4Addr) -> Result<(), crate::error::NetError>) -> bool {
    match tokio::task::spawn_blocking(move || work(address)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%address, %error, "cannot change a service address");
            false
        }
        Err(_) => false,
    }
}

async fn accept(listener: TcpListener, cluster: ClusterView, key: Key, port: ServicePort, bounds: Bounds) {
    let balance = Arc::new(Mutex::new(Balance::default()));
    loop {
        let Ok((stream, client)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Some(room) = bounds.room(client.ip()) else {
            let _ = sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
            continue;
        };
        let order = {
            let known = cluster.borrow();
            let affinity = known.services.get(&key).and_then(|s| s.affinity);
            let mut targets = known.targets(&key, &port);
            // The endpoint's pod sees the connection come from its node: who began it is judged here.
            if let IpAddr::V4(from) = client.ip() {
                known.permitted(from, &mut targets);
            }
            let Ok(mut balance) = balance.lock() else { return };
            balance.order(&targets, client.ip(), affinity, Instant::now())
        };
        tokio::spawn(async move {
            carry(stream, order).await;
            drop(room);
        });
    }
}

async fn carry(mut inside: TcpStream, order: Vec<(Ipv4Addr, u16)>) {
    for target in order.into_iter().take(TRIES) {
        if let Ok(Ok(mut outside)) = tokio::time::timeout(PATIENCE, TcpStream::connect(target)).await {
            let _ = inside.set_nodelay(true);
            let _ = outside.set_nodelay(true);
            let _ = tokio::io::copy_bidirectional_with_sizes(&mut inside, &mut outside, BUFFER, BUFFER).await;
            return;
        }
    }
    // Nobody there: a reset is the nearest thing to "connection refused".
    let _ = sockopt::set_socket_linger(&inside, Some(Duration::ZERO));
}
