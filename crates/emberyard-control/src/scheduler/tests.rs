use super::Scheduler;
use crate::fake::Bench;
use crate::resources;
use emberyard_model::Timestamp;
use emberyard_model::fit::{Demand, pod_demand};
use emberyard_object::view::{PodView, text};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn node(name: &str, cpu: u64, extra: Value) -> Value {
    let mut node = json!({
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {},
        "status": {
            "allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "10"},
            "conditions": [{"type": "Ready", "status": "True"}],
        }
    });
    for (key, value) in extra.as_object().into_iter().flatten() {
        match key.as_str() {
            "labels" => node["metadata"]["labels"].as_object_mut().unwrap().extend(value.as_object().unwrap().clone()),
            _ => node["spec"][key] = value.clone(),
        }
    }
    node
}

fn pod(name: &str, cpu: u64, extra: Value) -> Value {
    let mut pod = json!({
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": NOW.rfc3339(), "labels": {}},
        "spec": {"schedulerName": "default-scheduler", "containers": [
            {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": "100Mi"}}}
        ]},
        "status": {"phase": "Pending"}
    });
    for (key, value) in extra.as_object().into_iter().flatten() {
        match key.as_str() {
            "labels" => pod["metadata"]["labels"] = value.clone(),
            "ports" => pod["spec"]["containers"][0]["ports"] = value.clone(),
            _ => pod["spec"][key] = value.clone(),
        }
    }
    pod
}

fn bench(nodes: &[Value], pods: &[Value]) -> Bench {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::namespaces(), json!({"metadata": {"name": "default", "labels": {"team": "a"}}}));
    for node in nodes {
        bench.api.create(&resources::nodes(), node.clone());
    }
    for pod in pods {
        bench.api.create(&resources::pods(), pod.clone());
    }
    bench.start(Box::new(Scheduler::default()));
    bench.settle();
    bench
}

fn where_is(bench: &Bench, pod: &str) -> String {
    text(bench.api.get(&resources::pods(), "default", pod).unwrap(), &["spec", "nodeName"]).to_owned()
}

fn says(bench: &Bench, pod: &str) -> String {
    let pod = bench.api.get(&resources::pods(), "default", pod).unwrap();
    PodView(pod).condition("PodScheduled").map_or(String::new(), |one| text(one, &["message"]).to_owned())
}

#[test]
fn executors_of_one_application_stand_apart() {
    let executor = |name: &str| pod(name, 1, json!({"labels": {"spark-app-selector": "app"}}));
    let notebook = pod("notebook", 1, json!({"nodeName": "node-1"}));
    let bench = bench(
        &[node("node-1", 4, json!({})), node("node-2", 4, json!({}))],
        &[notebook, executor("exec-1"), executor("exec-2"), executor("exec-3")],
    );
    assert_eq!(where_is(&bench, "exec-1"), "node-2", "the emptier node first");
    assert_eq!(where_is(&bench, "exec-2"), "node-1", "then the one without a sibling");
    assert_eq!(where_is(&bench, "exec-3"), "node-2");
}

#[test]
fn what_does_not_fit_is_told_once_and_runs_when_there_is_room() {
    let mut bench = bench(&[node("node-1", 2, json!({})), node("node-2", 2, json!({}))], &[pod("big", 3, json!({}))]);
    assert_eq!(says(&bench, "big"), "0/2 nodes are available: 2 Insufficient cpu.");
    let events = bench.api.names(&resources::events()).len();
    assert_eq!(events, 1);
    bench.api.edit(&resources::nodes(), "", "node-1", |node| node["metadata"]["labels"]["x"] = json!("y"));
    bench.settle();
    assert_eq!(bench.api.names(&resources::events()).len(), events, "the same text is not said again");
    bench.api.create(&resources::nodes(), node("node-3", 4, json!({})));
    bench.settle();
    assert_eq!(where_is(&bench, "big"), "node-3");
}

#[test]
fn every_rule_keeps_pods_off() {
    let taint = |effect: &str| json!({"taints": [{"key": "spot", "effect": effect}]});
    let label = |labels: Value| json!({"labels": labels});
    let node_affinity = json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]}}}});
    let selector = "node(s) didn't match Pod's node affinity/selector";
    let table = [
        (json!({}), json!({}), ""),
        (json!({"unschedulable": true}), json!({}), "node(s) were unschedulable"),
        (taint("NoSchedule"), json!({}), "node(s) had untolerated taint {spot: }"),
        (taint("NoExecute"), json!({}), "node(s) had untolerated taint {spot: }"),
        (taint("PreferNoSchedule"), json!({}), ""),
        (taint("NoSchedule"), json!({"tolerations": [{"key": "spot", "operator": "Exists"}]}), ""),
        (json!({}), json!({"nodeSelector": {"disk": "ssd"}}), selector),
        (label(json!({"disk": "ssd"})), json!({"nodeSelector": {"disk": "ssd"}}), ""),
        (json!({}), node_affinity.clone(), selector),
        (label(json!({"disk": "ssd"})), node_affinity, ""),
        (json!({}), json!({"ports": [{"hostPort": 80}]}), "node(s) didn't have free ports for the requested pod ports"),
        (json!({}), json!({"ports": [{"hostPort": 80, "protocol": "UDP"}]}), ""),
        (json!({}), json!({"ports": [{"containerPort": 80}]}), ""),
    ];
    for (on_node, on_pod, reason) in table {
        let holder = pod("holder", 1, json!({"nodeName": "node-1", "ports": [{"hostPort": 80}]}));
        let bench = bench(&[node("node-1", 8, on_node.clone())], &[holder, pod("pod", 1, on_pod.clone())]);
        let wanted = if reason.is_empty() { String::new() } else { format!("0/1 nodes are available: 1 {reason}.") };
        assert_eq!(says(&bench, "pod"), wanted, "{on_node} {on_pod}");
        assert_eq!(where_is(&bench, "pod").is_empty(), !reason.is_empty());
    }
}

#[test]
fn pods_of_others_gated_and_going_are_left_alone() {
    let other = pod("other", 1, json!({"schedulerName": "mine"}));
    let gated = pod("gated", 1, json!({"schedulingGates": [{"name": "wait"}]}));
    let mut going = pod("going", 1, json!({}));
    going["metadata"]["deletionTimestamp"] = json!(NOW.rfc3339());
    let mut bench = bench(&[node("node-1", 8, json!({}))], &[other, gated, going]);
    assert_eq!(bench.api.seen, Vec::<String>::new());
    bench.api.edit(&resources::pods(), "default", "gated", |pod| pod["spec"]["schedulingGates"] = json!([]));
    bench.settle();
    assert_eq!(where_is(&bench, "gated"), "node-1");
}

#[test]
fn affinity_anti_affinity_and_spread() {
    let term = |kind: &str, key: &str| {
        json!({"labels": {"app": "zk"}, "affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": "zk"}}, "topologyKey": key}]}}})
    };
    let zones = [
        node("node-1", 8, json!({"labels": {"zone": "a"}})),
        node("node-2", 8, json!({"labels": {"zone": "a"}})),
        node("node-3", 8, json!({"labels": {"zone": "b"}})),
    ];
    let three = |extra: &Value| ["p1", "p2", "p3"].map(|name| pod(name, 1, extra.clone()));
    let apart = bench(&zones, &three(&term("podAntiAffinity", "zone")));
    assert_eq!(["p1", "p2", "p3"].map(|name| where_is(&apart, name)), ["node-1", "node-3", ""]);
    assert_eq!(says(&apart, "p3"), "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.");
    let near = bench(&zones, &three(&term("podAffinity", "zone")));
    assert_eq!(["p1", "p2", "p3"].map(|name| where_is(&near, name)), ["node-1", "node-2", "node-1"]);
    let spread = json!({"labels": {"app": "zk"}, "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "zk"}}}]});
    let spread = bench(&zones[1..], &three(&spread));
    assert_eq!(["p1", "p2", "p3"].map(|name| where_is(&spread, name)), ["node-2", "node-3", "node-2"]);
    let lonely = pod(
        "lonely",
        1,
        json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "none"}}, "topologyKey": "zone"}]}}}),
    );
    let mut alone = bench(&zones, &[lonely]);
    assert_eq!(says(&alone, "lonely"), "0/3 nodes are available: 3 node(s) didn't match pod affinity rules.");
    alone.api.create(&resources::pods(), pod("friend", 1, json!({"labels": {"app": "none"}})));
    alone.settle();
    assert!(!where_is(&alone, "lonely").is_empty());
}

#[test]
fn claims_are_waited_for_and_decide_the_node() {
    let volumes = json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]});
    let mut bench = bench(&[node("node-1", 8, json!({})), node("node-2", 8, json!({}))], &[pod("pod", 1, volumes)]);
    assert_eq!(says(&bench, "pod"), "0/2 nodes are available: persistentvolumeclaim \"data\" not found.");
    let claim =
        json!({"metadata": {"name": "data", "namespace": "default"}, "spec": {"accessModes": ["ReadWriteOnce"]}});
    bench.api.create(&resources::persistent_volume_claims(), claim);
    bench.settle();
    assert_eq!(says(&bench, "pod"), "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.");
    let volume = json!({"metadata": {"name": "pv"}, "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-2"]}]}]}}}});
    bench.api.create(&resources::persistent_volumes(), volume);
    bench.api.edit(&resources::persistent_volume_claims(), "default", "data", |claim| {
        claim["spec"]["volumeName"] = json!("pv");
        claim["status"] = json!({"phase": "Bound"});
    });
    bench.settle();
    assert_eq!(where_is(&bench, "pod"), "node-2");
}

#[test]
fn important_pods_go_first() {
    let low = pod("a-low", 2, json!({"priority": 1}));
    let high = pod("z-high", 2, json!({"priority": 100}));
    let bench = bench(&[node("node-1", 2, json!({}))], &[low, high]);
    assert_eq!((where_is(&bench, "z-high"), where_is(&bench, "a-low")), ("node-1".to_owned(), String::new()));
}

#[test]
fn an_unclear_answer_keeps_the_room_until_it_is_clear() {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::nodes(), node("node-1", 1, json!({})));
    bench.api.create(&resources::pods(), pod("one", 1, json!({})));
    bench.api.faults.push(("binding".to_owned(), 500, 2));
    bench.start(Box::new(Scheduler::default()));
    bench.settle();
    bench.api.create(&resources::pods(), pod("two", 1, json!({"priority": 9})));
    bench.settle();
    assert_eq!(where_is(&bench, "two"), "", "the room may be taken");
    bench.pass(Duration::from_secs(5));
    assert_eq!(where_is(&bench, "one"), "node-1");
}

#[test]
fn the_room_of_ended_pods_is_used_again() {
    let mut bench = bench(&[node("node-1", 1, json!({}))], &[pod("one", 1, json!({})), pod("two", 1, json!({}))]);
    assert_eq!(says(&bench, "two"), "0/1 nodes are available: 1 Insufficient cpu.");
    bench.api.edit(&resources::pods(), "default", "one", |pod| pod["status"]["phase"] = json!("Succeeded"));
    bench.settle();
    assert_eq!(where_is(&bench, "two"), "node-1");
}

fn free(bench: &Bench) -> BTreeMap<String, Demand> {
    let mut free = BTreeMap::new();
    for name in bench.api.names(&resources::nodes()) {
        let node = bench.api.get(&resources::nodes(), "", &name).unwrap();
        free.insert(name, Demand::from_list(&node["status"]["allocatable"]));
    }
    for name in bench.api.names(&resources::pods()) {
        let pod = bench.api.get(&resources::pods(), "default", &name).unwrap();
        if let Some(free) = free.get_mut(text(pod, &["spec", "nodeName"])) {
            let demand = pod_demand(&pod["spec"]);
            assert!(free.holds(&demand), "{name} was put where there is no room");
            *free = free.minus(&demand);
        }
    }
    free
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever the order of events, crashes and failing answers: no node is overcommitted, and a pod
    /// that waits does so because no node has room.
    #[test]
    fn never_overcommits_and_refuses_rightly(
        nodes in prop::collection::vec(1..6_u64, 1..5),
        steps in prop::collection::vec((0..10_u8, 1..5_u64, 0..20_usize), 1..40),
    ) {
        let mut bench = Bench::new(NOW);
        for (index, cpu) in nodes.iter().enumerate() {
            bench.api.create(&resources::nodes(), node(&format!("node-{index}"), *cpu, json!({})));
        }
        bench.start(Box::new(Scheduler::default()));
        for (number, (what, cpu, which)) in steps.into_iter().enumerate() {
            let pods = bench.api.names(&resources::pods());
            let some = pods.get(which % pods.len().max(1)).cloned();
            match (what, some) {
                (0, Some(name)) => drop(bench.api.delete(&(resources::pods(), "default".to_owned(), name), &json!({"gracePeriodSeconds": 0}))),
                (1, Some(name)) => bench.api.edit(&resources::pods(), "default", &name, |pod| pod["status"]["phase"] = json!("Running")),
                (2, _) => {
                    bench.crash();
                    bench.start(Box::new(Scheduler::default()));
                }
                (3, _) => bench.api.faults.push(("binding".to_owned(), if cpu > 2 { 500 } else { 409 }, 1)),
                _ => drop(bench.api.create(&resources::pods(), pod(&format!("pod-{number:02}"), cpu, json!({})))),
            }
            if which % 3 == 0 {
                bench.settle();
            }
            free(&bench);
        }
        bench.pass(Duration::from_secs(30));
        let free = free(&bench);
        for name in bench.api.names(&resources::pods()) {
            let pod = bench.api.get(&resources::pods(), "default", &name).unwrap();
            if text(pod, &["spec", "nodeName"]).is_empty() {
                let demand = pod_demand(&pod["spec"]);
                prop_assert!(!free.values().any(|free| free.holds(&demand)), "{} waits although there is room", name);
                let message = says(&bench, &name);
                prop_assert!(message.contains("Insufficient cpu"), "{}: {}", name, message);
            }
        }
    }
}
