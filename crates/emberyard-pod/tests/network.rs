//! What NetworkPolicies leave open, by examples of the API reference and the cases that are easily got wrong.

// A test ends at its first failure.
#![allow(clippy::unwrap_used)]

use emberyard_pod::network::{Block, Gate, Gates, Member, Network, Policy, Protocol};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

const fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 42, 0, last)
}

fn pod(namespace: &str, app: &str, last: u8) -> Member {
    let port = json!({"name": "http", "containerPort": 8000 + u16::from(last)});
    let object = json!({
        "metadata": {"namespace": namespace, "name": app, "uid": app, "labels": {"app": app}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "one", "ports": [port]}]},
        "status": {"podIP": address(last).to_string(), "phase": "Running"},
    });
    Member::read(&object).unwrap()
}

struct Cluster {
    policies: Vec<Policy>,
    namespaces: BTreeMap<String, Value>,
    members: Vec<Member>,
}

/// Pods `web` (1) and `db` (2) of namespace `shop`, `web` (3) of `other`, `spy` (4) of `other`.
fn cluster(specs: &[Value]) -> Cluster {
    let policy = |spec: &Value| {
        let types = ["ingress", "egress"].into_iter().filter(|way| *way == "ingress" || spec.get(way).is_some());
        let names: Vec<&str> = types.map(|way| if way == "ingress" { "Ingress" } else { "Egress" }).collect();
        let mut spec = spec.clone();
        if spec.get("policyTypes").is_none() {
            spec["policyTypes"] = json!(names);
        }
        Policy::read(&json!({"metadata": {"namespace": "shop", "name": "p"}, "spec": spec})).unwrap()
    };
    let label = |name: &str| (name.to_owned(), json!({"kubernetes.io/metadata.name": name}));
    Cluster {
        policies: specs.iter().map(policy).collect(),
        namespaces: [label("shop"), label("other")].into(),
        members: vec![pod("shop", "web", 1), pod("shop", "db", 2), pod("other", "web", 3), pod("other", "spy", 4)],
    }
}

impl Cluster {
    fn network(&self) -> Network<'_> {
        Network {
            policies: self.policies.iter().collect(),
            namespaces: self.namespaces.iter().map(|(name, labels)| (name.as_str(), labels)).collect(),
            members: self.members.iter().collect(),
        }
    }

    fn permits(&self, from: u8, to: u8, port: u16) -> bool {
        self.network().permits((address(from), address(to)), Protocol::Tcp, port)
    }

    fn gates(&self, last: u8) -> Gates {
        let pod = self.members.iter().find(|member| member.address == address(last)).unwrap();
        self.network().gates(pod)
    }

    /// Who may connect to the database's port 5432, of pods 1 to 4 and of an address (9) that is no pod's.
    fn callers(&self) -> Vec<u8> {
        [1, 2, 3, 4, 9].into_iter().filter(|from| self.permits(*from, 2, 5432)).collect()
    }
}

#[test]
fn without_a_policy_all_is_open() {
    let cluster = cluster(&[]);
    assert_eq!(cluster.gates(2), Gates::default());
    assert_eq!(cluster.callers(), [1, 2, 3, 4, 9]);
}

#[test]
fn who_may_come_in() {
    let db = json!({"matchLabels": {"app": "db"}});
    let by_name = |name: &str| json!({"matchLabels": {"kubernetes.io/metadata.name": name}});
    let web = json!({"matchLabels": {"app": "web"}});
    let cases: [(&str, Value, &[u8]); 11] = [
        ("an empty selector is about all pods, no rule lets nobody in", json!({"podSelector": {}}), &[]),
        ("it is about others", json!({"podSelector": web}), &[1, 2, 3, 4, 9]),
        ("an empty rule lets all in", json!({"podSelector": db, "ingress": [{}]}), &[1, 2, 3, 4, 9]),
        ("the own namespace", json!({"podSelector": db, "ingress": [{"from": [{"podSelector": {}}]}]}), &[1, 2]),
        (
            "all namespaces",
            json!({"podSelector": db, "ingress": [{"from": [{"namespaceSelector": {}}]}]}),
            &[1, 2, 3, 4],
        ),
        (
            "both selectors of one peer must hold",
            json!({"podSelector": db, "ingress": [{"from": [{"namespaceSelector": by_name("other"), "podSelector": web}]}]}),
            &[3],
        ),
        (
            "of two peers one is enough",
            json!({"podSelector": db, "ingress": [{"from": [{"namespaceSelector": by_name("other")}, {"podSelector": web}]}]}),
            &[1, 3, 4],
        ),
        (
            "a range with a hole",
            json!({"podSelector": db, "ingress": [{"from": [{"ipBlock": {"cidr": "10.42.0.0/24", "except": ["10.42.0.2/31"]}}]}]}),
            &[1, 4, 9],
        ),
        (
            "other ports",
            json!({"podSelector": db, "ingress": [{"ports": [{"port": 80, "endPort": 5431}, {"port": 5432, "protocol": "UDP"}]}]}),
            &[],
        ),
        (
            "its port in a range",
            json!({"podSelector": db, "ingress": [{"ports": [{"port": 5000, "endPort": 6000}]}]}),
            &[1, 2, 3, 4, 9],
        ),
        (
            "what cannot be read opens nothing",
            json!({"podSelector": db, "ingress": [{"from": [{"ipBlock": {"cidr": "fd00::/8"}}]}]}),
            &[],
        ),
    ];
    for (case, spec, callers) in cases {
        assert_eq!(cluster(&[spec]).callers(), callers, "{case}");
    }
    // What any of them opens is open.
    let both = cluster(&[
        json!({"podSelector": {}}),
        json!({"podSelector": db, "ingress": [{"from": [{"podSelector": {}}]}]}),
    ]);
    assert_eq!(both.callers(), [1, 2]);
}

#[test]
fn a_named_port_is_that_of_whoever_is_connected_to() {
    let named = json!([{"port": "http"}]);
    let into = cluster(&[json!({"podSelector": {}, "ingress": [{"ports": named}]})]);
    assert!(into.permits(1, 2, 8002) && !into.permits(1, 2, 8001));
    let out = cluster(&[json!({
        "podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"],
        "egress": [{"to": [{"podSelector": {}}], "ports": named}, {"ports": named}],
    })]);
    assert!(out.permits(1, 2, 8002) && !out.permits(1, 2, 8001) && !out.permits(1, 3, 8003));
    assert_eq!(out.gates(1).ingress, Gate::Open);
}

#[test]
fn both_sides_must_let_a_connection_pass() {
    let silent = cluster(&[json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"]})]);
    assert_eq!(silent.callers(), [2, 3, 4, 9]);
    assert!(!silent.permits(1, 200, 80), "nothing goes out of it");
    let open = json!({"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "10.42.0.0/30"}}]}], "ingress": [{}]});
    let some = cluster(&[open]);
    assert!(some.permits(1, 2, 1) && !some.permits(1, 4, 1));
}

#[test]
fn who_has_no_address_of_its_own_is_no_member() {
    let mut object = json!({
        "metadata": {"namespace": "shop", "name": "a"}, "spec": {"containers": []},
        "status": {"podIP": "10.42.0.7", "phase": "Running"},
    });
    assert!(Member::read(&object).is_some());
    object["status"]["phase"] = json!("Succeeded");
    assert!(Member::read(&object).is_none());
    assert!(Member::at(&object, address(7)).is_some());
    object["spec"]["hostNetwork"] = json!(true);
    assert!(Member::at(&object, address(7)).is_none());
    assert_eq!(Block::of(address(7)).to_string(), "10.42.0.7/32");
}
