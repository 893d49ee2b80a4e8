//! Controllers that look after namespaces.

use crate::fake::Bench;
use crate::in_every_namespace::InEveryNamespace;
use crate::namespace_life::NamespaceLife;
use crate::reconcile::Loop;
use crate::resources;
use emberyard_model::Timestamp;
use emberyard_object::Catalog;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn namespace(name: &str) -> Value {
    json!({
        "metadata": {"name": name}, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
    })
}

fn start(bench: &mut Bench) {
    bench.start(Box::new(Loop::new(InEveryNamespace::service_account())));
    bench.start(Box::new(Loop::new(InEveryNamespace::root_ca("PEM"))));
    bench.start(Box::new(Loop::new(NamespaceLife::new(&Catalog::builtin()))));
    bench.settle();
}

#[test]
fn every_namespace_gets_an_account_and_the_ca_and_gets_them_back() {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::namespaces(), namespace("default"));
    start(&mut bench);
    bench.api.create(&resources::namespaces(), namespace("team"));
    bench.settle();
    assert_eq!(bench.api.names(&resources::service_accounts()), ["default", "default"]);
    assert_eq!(bench.api.names(&resources::config_maps()), ["kube-root-ca.crt", "kube-root-ca.crt"]);
    bench
        .api
        .edit(&resources::config_maps(), "team", "kube-root-ca.crt", |map| map["data"] = json!({"ca.crt": "evil"}));
    bench.api.delete(&(resources::service_accounts(), "team".to_owned(), "default".to_owned()), &json!({}));
    bench.settle();
    assert_eq!(
        bench.api.get(&resources::config_maps(), "team", "kube-root-ca.crt").unwrap()["data"]["ca.crt"],
        json!("PEM")
    );
    assert_eq!(bench.api.names(&resources::service_accounts()).len(), 2);
    let requests = bench.api.seen.len();
    bench.crash();
    start(&mut bench);
    assert_eq!(bench.api.seen.len(), requests, "a restart changes nothing");
}

#[test]
fn a_namespace_ends_pods_first() {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::namespaces(), namespace("team"));
    bench.api.create(&resources::namespaces(), namespace("other"));
    for space in ["team", "other"] {
        let of = |name: &str| json!({"metadata": {"name": name, "namespace": space}});
        bench.api.create(&resources::config_maps(), of("data"));
        bench.api.create(&resources::services(), of("web"));
        bench.api.create(&resources::events(), of("said"));
        let mut pod = of("runs");
        pod["spec"] = json!({"nodeName": "node-1"});
        bench.api.create(&resources::pods(), pod);
    }
    start(&mut bench);
    bench.api.delete(&(resources::namespaces(), String::new(), "team".to_owned()), &json!({}));
    bench.settle();
    assert!(
        bench.api.get(&resources::config_maps(), "team", "data").is_some(),
        "pods end with their configuration at hand"
    );
    bench.api.delete(&(resources::pods(), "team".to_owned(), "runs".to_owned()), &json!({"gracePeriodSeconds": 0}));
    bench.settle();
    let in_team = bench.api.objects.keys().filter(|(_, space, name)| space == "team" || name == "team").count();
    assert_eq!(in_team, 0, "{:?}", bench.api.objects.keys());
    assert_eq!(bench.api.names(&resources::namespaces()), ["other"]);
    assert!(bench.api.get(&resources::pods(), "other", "runs").is_some());
}

#[test]
fn what_a_finalizer_holds_holds_the_namespace() {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::namespaces(), namespace("team"));
    let held = json!({"metadata": {"name": "held", "namespace": "team", "finalizers": ["mine.io/x"]}});
    bench.api.create(&resources::config_maps(), held);
    start(&mut bench);
    bench.api.delete(&(resources::namespaces(), String::new(), "team".to_owned()), &json!({}));
    bench.pass(std::time::Duration::from_mins(1));
    assert_eq!(bench.api.names(&resources::namespaces()), ["team"]);
    bench.api.edit(&resources::config_maps(), "team", "held", |map| map["metadata"]["finalizers"] = json!([]));
    bench.api.delete(&(resources::config_maps(), "team".to_owned(), "held".to_owned()), &json!({}));
    bench.settle();
    assert_eq!(bench.api.names(&resources::namespaces()), Vec::<String>::new());
}
