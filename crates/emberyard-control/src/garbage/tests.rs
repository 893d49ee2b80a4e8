use super::GarbageCollector;
use crate::fake::Bench;
use crate::kinds::Kinds;
use crate::reconcile::Loop;
use crate::resources;
use emberyard_model::Timestamp;
use emberyard_object::view::Meta;
use emberyard_object::{Catalog, Gvr};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn bench(objects: &[(Gvr, Value)]) -> Bench {
    let mut bench = Bench::new(NOW);
    for (resource, object) in objects {
        bench.api.create(resource, object.clone());
    }
    bench.start(Box::new(Loop::new(GarbageCollector::new(&Catalog::builtin()))));
    bench.settle();
    bench
}

fn owner(kind: &str, name: &str, uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": uid, "blockOwnerDeletion": true})
}

fn object(name: &str, uid: &str, owners: &[Value]) -> Value {
    json!({"metadata": {"name": name, "namespace": "default", "uid": uid, "ownerReferences": owners}})
}

fn pod(name: &str, uid: &str, owners: &[Value]) -> (Gvr, Value) {
    (resources::pods(), object(name, uid, owners))
}

fn map(name: &str, uid: &str, owners: &[Value]) -> (Gvr, Value) {
    (resources::config_maps(), object(name, uid, owners))
}

fn slot(resource: Gvr, name: &str) -> (Gvr, String, String) {
    (resource, "default".to_owned(), name.to_owned())
}

fn left(bench: &Bench) -> Vec<String> {
    bench.api.objects.keys().map(|(.., name)| name.clone()).collect()
}

#[test]
fn what_an_ended_driver_owned_goes_with_it() {
    let driver = || owner("Pod", "driver", "d");
    let mut bench = bench(&[
        pod("driver", "d", &[]),
        pod("exec-1", "e1", &[driver()]),
        pod("exec-2", "e2", &[driver()]),
        map("conf", "c", &[driver()]),
        map("free", "f", &[]),
    ]);
    assert_eq!(bench.api.seen.len(), 0, "nothing to do while the owner lives");
    bench.api.delete(&slot(resources::pods(), "driver"), &json!({"gracePeriodSeconds": 0}));
    bench.settle();
    assert_eq!(left(&bench), ["free"]);
    assert!(!bench.api.seen.iter().any(|line| line.starts_with("GET")), "its end was seen, nobody need be asked");
}

#[test]
fn an_owner_that_was_never_seen_is_asked_for_before_anything_is_deleted() {
    let bench = bench(&[pod("orphan", "o", &[owner("Pod", "driver", "gone")])]);
    assert_eq!(
        bench.api.seen,
        ["GET /api/v1/namespaces/default/pods/driver", "DELETE /api/v1/namespaces/default/pods/orphan"]
    );
}

#[test]
fn a_successor_of_the_same_name_is_not_the_owner() {
    let bench = bench(&[pod("driver", "new", &[]), pod("exec", "e", &[owner("Pod", "driver", "old")])]);
    assert_eq!(left(&bench), ["driver"]);
}

#[test]
fn an_unknown_kind_or_a_failing_server_deletes_nothing() {
    let stranger = json!({"apiVersion": "strange.io/v1", "kind": "Thing", "name": "t", "uid": "t"});
    let one = bench(&[pod("kept", "k", &[stranger])]);
    assert_eq!((left(&one), one.api.seen.len()), (vec!["kept".to_owned()], 0));
    let mut failing = Bench::new(NOW);
    let (resource, orphan) = pod("orphan", "o", &[owner("Pod", "driver", "gone")]);
    failing.api.create(&resource, orphan);
    failing.api.faults.push(("GET".to_owned(), 500, 3));
    failing.start(Box::new(Loop::new(GarbageCollector::new(&Catalog::builtin()))));
    failing.settle();
    assert_eq!(left(&failing), ["orphan"]);
    failing.pass(std::time::Duration::from_secs(5));
    assert_eq!(left(&failing), Vec::<String>::new(), "asked again, and told");
}

#[test]
fn one_living_owner_is_enough_and_dead_references_go() {
    let owners = [owner("Pod", "dead", "dead"), owner("Pod", "alive", "alive")];
    let bench = bench(&[pod("alive", "alive", &[]), map("conf", "c", &owners)]);
    let conf = bench.api.get(&resources::config_maps(), "default", "conf").unwrap();
    assert_eq!(Meta(conf).owners().map(|owner| owner.name).collect::<Vec<_>>(), ["alive"]);
}

#[test]
fn foreground_waits_for_dependents_and_orphan_frees_them() {
    let three = || {
        [
            pod("top", "t", &[]),
            pod("mid", "m", &[owner("Pod", "top", "t")]),
            map("low", "l", &[owner("Pod", "mid", "m")]),
        ]
    };
    let mut foreground = bench(&three());
    foreground.api.delete(&slot(resources::pods(), "top"), &json!({"propagationPolicy": "Foreground"}));
    foreground.settle();
    assert_eq!(left(&foreground), Vec::<String>::new());
    let ends: Vec<String> = foreground
        .api
        .log
        .iter()
        .filter(|(_, change, _)| *change == crate::Change::Deleted)
        .map(|(.., object)| Meta(object).name().to_owned())
        .collect();
    assert_eq!(ends, ["low", "mid", "top"]);
    let mut orphan = bench(&three());
    orphan.api.delete(&slot(resources::pods(), "top"), &json!({"propagationPolicy": "Orphan"}));
    orphan.settle();
    assert_eq!(left(&orphan), ["low", "mid"]);
}

#[test]
fn a_circle_does_not_block() {
    let mut bench =
        bench(&[map("a", "a", &[owner("ConfigMap", "b", "b")]), map("b", "b", &[owner("ConfigMap", "a", "a")])]);
    bench.api.delete(&slot(resources::config_maps(), "a"), &json!({"propagationPolicy": "Foreground"}));
    bench.settle();
    assert_eq!(left(&bench), Vec::<String>::new());
}

#[test]
fn custom_resources_own_as_well() {
    let definition = json!({
        "metadata": {"name": "notebooks.emberyard.dev"},
        "spec": {"group": "emberyard.dev", "scope": "Namespaced", "names": {"plural": "notebooks", "kind": "Notebook"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true}]},
    });
    let notebook = json!({"apiVersion": "emberyard.dev/v1alpha1", "kind": "Notebook", "name": "nb", "uid": "n"});
    let mut bench = bench(&[
        (resources::custom_resource_definitions(), definition),
        pod("nb", "p", std::slice::from_ref(&notebook)),
    ]);
    assert_eq!(left(&bench), ["notebooks.emberyard.dev"], "an owner that is not there");
    let notebooks = Gvr::new("emberyard.dev", "v1alpha1", "notebooks");
    bench.api.create(&notebooks, object("nb", "n", &[]));
    bench.settle();
    let (pods, next) = pod("nb", "q", &[notebook]);
    bench.api.create(&pods, next);
    bench.settle();
    assert_eq!(left(&bench).len(), 3);
    bench.api.delete(&slot(notebooks, "nb"), &json!({}));
    bench.settle();
    assert_eq!(left(&bench), ["notebooks.emberyard.dev"]);
}

#[test]
fn the_kinds_are_those_that_can_be_watched_and_deleted() {
    let kinds = Kinds::of(&Catalog::builtin());
    let names: BTreeMap<&str, bool> =
        kinds.all().map(|served| (served.resource.resource.as_str(), served.namespaced)).collect();
    assert_eq!((names.get("pods"), names.get("nodes")), (Some(&true), Some(&false)));
    assert!(!names.contains_key("events") && !names.contains_key("bindings"));
}
