//! Names of the cluster: a pure look-up.
//!
//! Rule source: the Kubernetes DNS specification (kubernetes/dns, specification.md, version 1.1).

use crate::cluster::{Cluster, Endpoint, Key, Service};
use crate::net::address::{CLUSTER_DOMAIN, is_inside};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Pods of this node by address: namespace. They get reverse names even without a service.
pub(crate) type LocalPods = BTreeMap<Ipv4Addr, String>;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Addresses.
    A,
    /// Ports and hosts.
    Srv,
    /// The name of an address.
    Ptr,
    /// Anything else: exists or not.
    Other,
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Not a name of the cluster: ask outside.
    Foreign,
    /// A name of the cluster that does not exist.
    Nothing,
    /// It exists, with these records (maybe none of the kind asked).
    Records(Vec<Data>),
}

/// A record's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    /// An address.
    A(Ipv4Addr),
    /// A port and the name of its host.
    Srv(u16, String),
    /// A name.
    Ptr(String),
    /// Another name for the one asked.
    Cname(String),
}

/// Looks up what whoever asks is called: `localhost` (RFC 6761, 6.3), and a pod's own host name. A pod that asks DNS before its
/// files has its answer without anybody outside being asked, who may not be reachable.
pub(crate) fn look_up_own(cluster: &Cluster, asker: Ipv4Addr, name: &str, kind: Kind) -> Option<Found> {
    let is_own = || {
        let headless = cluster.services.iter().filter(|(_, service)| service.headless);
        let mut endpoints = headless.flat_map(|(key, _)| cluster.endpoints(key)).map(|(_, endpoint)| endpoint);
        endpoints.any(|it| it.hostname.as_deref() == Some(name) && it.addresses.contains(&asker))
    };
    let address = match name {
        "localhost" => Ipv4Addr::LOCALHOST,
        name if !name.contains('.') && is_own() => asker,
        _ => return None,
    };
    Some(Found::Records(if kind == Kind::A { vec![Data::A(address)] } else { Vec::new() }))
}

/// Looks a name up. `name` is lower case, without the last dot.
pub(crate) fn look_up(cluster: &Cluster, pods: &LocalPods, name: &str, kind: Kind) -> Found {
    if let Some(reversed) = name.strip_suffix(".in-addr.arpa") {
        return reverse(cluster, pods, reversed, kind);
    }
    let Some(inner) =
        name.strip_suffix(CLUSTER_DOMAIN).and_then(|n| n.strip_suffix('.').or((n.is_empty()).then_some("")))
    else {
        return Found::Foreign;
    };
    let labels: Vec<&str> = if inner.is_empty() { Vec::new() } else { inner.split('.').collect() };
    match labels.as_slice() {
        [] | ["svc" | "pod"] => Found::Records(Vec::new()),
        [namespace, "svc"] if cluster.services.keys().any(|k| k.0 == **namespace) => Found::Records(Vec::new()),
        [address, _, "pod"] => match dashed(address) {
            Some(ip) => Found::Records(if kind == Kind::A { vec![Data::A(ip)] } else { Vec::new() }),
            None => Found::Nothing,
        },
        [rest @ .., service, namespace, "svc"] => {
            let key = ((*namespace).to_owned(), (*service).to_owned());
            let Some(found) = cluster.services.get(&key) else { return Found::Nothing };
            match rest {
                [] => of_service(cluster, &key, found, kind),
                [port, protocol] if port.starts_with('_') && protocol.starts_with('_') => {
                    of_port(cluster, &key, found, &port[1..], &protocol[1..], kind)
                }
                [host] => of_host(cluster, &key, found, host, kind),
                _ => Found::Nothing,
            }
        }
        _ => Found::Nothing,
    }
}

fn dashed(text: &str) -> Option<Ipv4Addr> {
    text.replace('-', ".").parse().ok()
}

fn undashed(ip: Ipv4Addr) -> String {
    ip.to_string().replace('.', "-")
}

fn counts(service: &Service, endpoint: &Endpoint) -> bool {
    endpoint.ready || service.publish_not_ready
}

/// Host labels and addresses of a service's endpoints that count, in a stable order.
fn hosts(cluster: &Cluster, key: &Key, service: &Service) -> BTreeSet<(String, Ipv4Addr)> {
    let endpoints = cluster.endpoints(key).map(|(_, e)| e).filter(|e| counts(service, e));
    endpoints
        .flat_map(|e| e.addresses.iter().map(|a| (e.hostname.clone().unwrap_or_else(|| undashed(*a)), *a)))
        .collect()
}

fn of_service(cluster: &Cluster, key: &Key, service: &Service, kind: Kind) -> Found {
    if let Some(external) = &service.external {
        return Found::Records(vec![Data::Cname(external.clone())]);
    }
    if !service.headless {
        let records = match (kind, service.address) {
            (Kind::A, Some(address)) => vec![Data::A(address)],
            (Kind::Srv, Some(_)) => service.ports.iter().map(|p| Data::Srv(p.port, full(&[], key))).collect(),
            _ => Vec::new(),
        };
        return Found::Records(records);
    }
    let found = hosts(cluster, key, service);
    // A headless service without endpoints has no name, so that clients ask again.
    if found.is_empty() {
        return Found::Nothing;
    }
    let addresses: BTreeSet<Ipv4Addr> = found.iter().map(|(_, a)| *a).collect();
    Found::Records(match kind {
        Kind::A => addresses.into_iter().map(Data::A).collect(),
        Kind::Srv => {
            let ports = service.ports.iter();
            ports.flat_map(|p| found.iter().map(|(host, _)| Data::Srv(p.port, full(&[host], key)))).collect()
        }
        Kind::Ptr | Kind::Other => Vec::new(),
    })
}

fn of_port(cluster: &Cluster, key: &Key, service: &Service, port: &str, protocol: &str, kind: Kind) -> Found {
    let wanted = |p: &&crate::cluster::ServicePort| p.name == port && p.protocol.eq_ignore_ascii_case(protocol);
    let Some(found) = service.ports.iter().find(wanted) else { return Found::Nothing };
    if kind != Kind::Srv {
        return Found::Records(Vec::new());
    }
    if !service.headless {
        return Found::Records(vec![Data::Srv(found.port, full(&[], key))]);
    }
    let records: BTreeSet<(u16, String)> = cluster
        .endpoints(key)
        .filter(|(_, e)| counts(service, e))
        .flat_map(|(slice, e)| {
            let number = slice.ports.iter().find(|p| p.0 == found.name).map_or(found.port, |p| p.1);
            let host = |a: &Ipv4Addr| full(&[&e.hostname.clone().unwrap_or_else(|| undashed(*a))], key);
            e.addresses.iter().map(move |a| (number, host(a)))
        })
        .collect();
    Found::Records(records.into_iter().map(|(number, host)| Data::Srv(number, host)).collect())
}

fn of_host(cluster: &Cluster, key: &Key, service: &Service, host: &str, kind: Kind) -> Found {
    let found: Vec<Data> =
        hosts(cluster, key, service).into_iter().filter(|(name, _)| name == host).map(|(_, a)| Data::A(a)).collect();
    match (found.is_empty(), kind) {
        (true, _) => Found::Nothing,
        (false, Kind::A) => Found::Records(found),
        (false, _) => Found::Records(Vec::new()),
    }
}

fn full(before: &[&str], key: &Key) -> String {
    let name = before.iter().fold(String::new(), |text, label| text + label + ".");
    format!("{name}{}.{}.svc.{CLUSTER_DOMAIN}", key.1, key.0)
}

fn reverse(cluster: &Cluster, pods: &LocalPods, reversed: &str, kind: Kind) -> Found {
    let parts: Vec<&str> = reversed.split('.').rev().collect();
    let Ok(address) = parts.join(".").parse::<Ipv4Addr>() else { return Found::Foreign };
    if !is_inside(address) || address.is_loopback() {
        return Found::Foreign;
    }
    let Some(name) = name_of(cluster, pods, address) else { return Found::Nothing };
    Found::Records(if kind == Kind::Ptr { vec![Data::Ptr(name)] } else { Vec::new() })
}

/// The one name of an address: a service's own, else a host name in a headless service, else the dashed form in one,
/// else the pod's.
fn name_of(cluster: &Cluster, pods: &LocalPods, address: Ipv4Addr) -> Option<String> {
    if let Some((key, _)) = cluster.services.iter().find(|(_, s)| s.address == Some(address)) {
        return Some(full(&[], key));
    }
    let mut dashed_name = None;
    for (key, service) in cluster.services.iter().filter(|(_, s)| s.headless) {
        for (_, endpoint) in cluster.endpoints(key).filter(|(_, e)| e.addresses.contains(&address)) {
            if !counts(service, endpoint) {
                continue;
            }
            match &endpoint.hostname {
                Some(host) => return Some(full(&[host], key)),
                None => _ = dashed_name.get_or_insert_with(|| full(&[&undashed(address)], key)),
            }
        }
    }
    let of_pod = || Some(format!("{}.{}.pod.{CLUSTER_DOMAIN}", undashed(address), pods.get(&address)?));
    dashed_name.or_else(of_pod)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Slice;
    use serde_json::json;

    fn cluster() -> Cluster {
        let mut cluster = Cluster::default();
        let mut add = |name: &str, spec: serde_json::Value| {
            cluster.services.insert(("default".into(), name.into()), Service::read(&json!({"spec": spec})));
        };
        add("kubernetes", json!({"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443}]}));
        add(
            "driver",
            json!({"clusterIP": "None", "publishNotReadyAddresses": true, "ports": [{"name": "rpc", "port": 29413}]}),
        );
        add("nn", json!({"clusterIP": "None", "ports": [{"name": "rpc", "port": 8020}]}));
        add("empty", json!({"clusterIP": "None"}));
        add("out", json!({"type": "ExternalName", "externalName": "example.com"}));
        let mut slice = |service: &str, endpoints: serde_json::Value| {
            let object = json!({"addressType": "IPv4", "endpoints": endpoints, "ports": [{"name": "rpc", "port": 9999}],
                "metadata": {"namespace": "default", "name": service, "labels": {"kubernetes.io/service-name": service}}});
            cluster.slices.insert(("default".into(), service.into()), Slice::read(&object).unwrap());
        };
        slice("driver", json!([{"addresses": ["10.42.1.2"], "conditions": {"ready": false}}]));
        slice(
            "nn",
            json!([
            {"addresses": ["10.42.1.3"], "hostname": "nn-0", "conditions": {"ready": true}},
            {"addresses": ["10.42.2.3"], "hostname": "nn-1", "conditions": {"ready": false}}]),
        );
        cluster
    }

    fn ask(name: &str, kind: Kind) -> String {
        let pods = LocalPods::from([("10.42.1.9".parse().unwrap(), "spark".to_owned())]);
        match look_up(&cluster(), &pods, name, kind) {
            Found::Foreign => "foreign".into(),
            Found::Nothing => "nothing".into(),
            Found::Records(records) => {
                let text = |d: &Data| match d {
                    Data::A(a) => a.to_string(),
                    Data::Srv(port, host) => format!("{port} {host}"),
                    Data::Ptr(name) | Data::Cname(name) => name.clone(),
                };
                records.iter().map(text).collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn ones_own_names() {
        let own = |asker: &str, name: &str, kind| look_up_own(&cluster(), asker.parse().unwrap(), name, kind);
        let address = |text: &str| Some(Found::Records(vec![Data::A(text.parse().unwrap())]));
        assert_eq!(own("10.42.1.3", "nn-0", Kind::A), address("10.42.1.3"));
        assert_eq!(own("10.42.1.3", "nn-0", Kind::Other), Some(Found::Records(Vec::new())));
        assert_eq!(own("10.42.1.3", "nn-1", Kind::A), None, "another's");
        assert_eq!(own("10.42.1.3", "nas", Kind::A), None);
        assert_eq!(own("10.42.1.3", "localhost", Kind::A), address("127.0.0.1"));
    }

    #[test]
    fn names_of_the_cluster() {
        for (name, kind, expected) in [
            ("kubernetes.default.svc.cluster.local", Kind::A, "10.96.0.1"),
            ("kubernetes.default.svc.cluster.local", Kind::Other, ""),
            ("_https._tcp.kubernetes.default.svc.cluster.local", Kind::Srv, "443 kubernetes.default.svc.cluster.local"),
            ("driver.default.svc.cluster.local", Kind::A, "10.42.1.2"),
            ("10-42-1-2.driver.default.svc.cluster.local", Kind::A, "10.42.1.2"),
            ("nn.default.svc.cluster.local", Kind::A, "10.42.1.3"),
            ("nn-0.nn.default.svc.cluster.local", Kind::A, "10.42.1.3"),
            ("nn-1.nn.default.svc.cluster.local", Kind::A, "nothing"),
            ("_rpc._tcp.nn.default.svc.cluster.local", Kind::Srv, "9999 nn-0.nn.default.svc.cluster.local"),
            ("out.default.svc.cluster.local", Kind::A, "example.com"),
            ("empty.default.svc.cluster.local", Kind::A, "nothing"),
            ("10-42-7-7.any.pod.cluster.local", Kind::A, "10.42.7.7"),
            ("x.any.pod.cluster.local", Kind::A, "nothing"),
            ("no.default.svc.cluster.local", Kind::A, "nothing"),
            ("a.b.c.nn.default.svc.cluster.local", Kind::A, "nothing"),
            ("default.svc.cluster.local", Kind::A, ""),
            ("other.svc.cluster.local", Kind::A, "nothing"),
            ("cluster.local", Kind::A, ""),
            ("pypi.org.default.svc.cluster.local", Kind::A, "nothing"),
            ("pypi.org", Kind::A, "foreign"),
            ("notcluster.local", Kind::A, "foreign"),
            ("1.0.96.10.in-addr.arpa", Kind::Ptr, "kubernetes.default.svc.cluster.local"),
            ("3.1.42.10.in-addr.arpa", Kind::Ptr, "nn-0.nn.default.svc.cluster.local"),
            ("2.1.42.10.in-addr.arpa", Kind::Ptr, "10-42-1-2.driver.default.svc.cluster.local"),
            ("9.1.42.10.in-addr.arpa", Kind::Ptr, "10-42-1-9.spark.pod.cluster.local"),
            ("8.1.42.10.in-addr.arpa", Kind::Ptr, "nothing"),
            ("8.8.8.8.in-addr.arpa", Kind::Ptr, "foreign"),
        ] {
            assert_eq!(ask(name, kind), expected, "{name}");
        }
    }
}
