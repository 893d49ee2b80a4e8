use super::NodeLife;
use crate::fake::Bench;
use crate::pod_garbage::PodGarbage;
use crate::reconcile::Loop;
use crate::resources;
use emberyard_model::Timestamp;
use emberyard_object::view::{NodeView, PodView, list, text};
use serde_json::{Value, json};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn node(name: &str) -> Value {
    json!({
        "metadata": {"name": name}, "spec": {},
        "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "MemoryPressure", "status": "False"}]},
    })
}

fn pod(name: &str, extra: &Value) -> Value {
    let mut pod = json!({
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": NOW.rfc3339()},
        "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "c", "image": "i", "restartCount": 2, "state": {"running": {"startedAt": "2027-01-01T00:00:00Z"}}}]},
    });
    for (key, value) in extra.as_object().into_iter().flatten() {
        pod["spec"][key] = value.clone();
    }
    pod
}

fn lease(renewed: Timestamp) -> Value {
    json!({
        "metadata": {"name": "node-1", "namespace": "kube-node-lease"},
        "spec": {"leaseDurationSeconds": 5, "renewTime": renewed.rfc3339_micro()},
    })
}

fn bench(pods: &[Value]) -> Bench {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::nodes(), node("node-1"));
    bench.api.create(&resources::leases(), lease(NOW));
    for pod in pods {
        bench.api.create(&resources::pods(), pod.clone());
    }
    bench.start(Box::new(Loop::new(NodeLife::default())));
    bench.settle();
    bench
}

fn renew(bench: &mut Bench) {
    let now = bench.now;
    bench.api.edit(&resources::leases(), "kube-node-lease", "node-1", |one| one["spec"] = lease(now)["spec"].clone());
    bench.settle();
}

fn the_node(bench: &Bench) -> &Value {
    bench.api.get(&resources::nodes(), "", "node-1").unwrap()
}

fn ready(bench: &Bench) -> String {
    text(NodeView(the_node(bench)).condition("Ready").unwrap(), &["status"]).to_owned()
}

fn taints(bench: &Bench) -> Vec<String> {
    let taints = list(the_node(bench), &["spec", "taints"]);
    taints.iter().map(|taint| format!("{}:{}", text(taint, &["key"]), text(taint, &["effect"]))).collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_silent_node_is_said_to_be_after_five_seconds() {
    let mut bench = bench(&[]);
    for _ in 0..4 {
        bench.pass(seconds(3));
        renew(&mut bench);
    }
    assert_eq!((ready(&bench), taints(&bench).len()), ("True".to_owned(), 0));
    bench.pass(seconds(4));
    assert_eq!(ready(&bench), "True");
    bench.pass(seconds(2));
    assert_eq!(ready(&bench), "Unknown");
    assert_eq!(
        taints(&bench),
        ["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"]
    );
    bench.api.edit(&resources::nodes(), "", "node-1", |node| {
        node["status"]["conditions"][0] = json!({"type": "Ready", "status": "True"});
    });
    renew(&mut bench);
    assert_eq!((ready(&bench), taints(&bench).len()), ("True".to_owned(), 0));
}

#[test]
fn a_restarted_control_plane_gives_everybody_time() {
    let mut bench = bench(&[]);
    bench.crash();
    bench.now = bench.now.plus(seconds(600));
    bench.start(Box::new(Loop::new(NodeLife::default())));
    bench.pass(seconds(4));
    assert_eq!(ready(&bench), "True");
    bench.pass(seconds(2));
    assert_eq!(ready(&bench), "Unknown");
}

#[test]
fn a_machine_that_stood_still_loses_no_node() {
    let mut bench = bench(&[]);
    bench.now = bench.now.plus(seconds(3600));
    bench.settle();
    assert_eq!(ready(&bench), "True", "nobody could renew while everything slept");
    bench.pass(seconds(6));
    assert_eq!(ready(&bench), "Unknown");
}

#[test]
fn conditions_and_cordons_become_taints_and_others_stay() {
    let mut bench = bench(&[]);
    bench.api.edit(&resources::nodes(), "", "node-1", |node| {
        node["spec"] = json!({"unschedulable": true, "taints": [{"key": "spot", "effect": "NoSchedule"}]});
        node["status"]["conditions"] =
            json!([{"type": "Ready", "status": "False"}, {"type": "DiskPressure", "status": "True"}]);
    });
    bench.settle();
    assert_eq!(
        taints(&bench),
        [
            "spot:NoSchedule",
            "node.kubernetes.io/not-ready:NoSchedule",
            "node.kubernetes.io/not-ready:NoExecute",
            "node.kubernetes.io/disk-pressure:NoSchedule",
            "node.kubernetes.io/unschedulable:NoSchedule"
        ]
    );
}

#[test]
fn pods_leave_as_they_tolerate() {
    let stands = |key: &str, seconds: Value| json!({"tolerations": [{"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}]});
    let mut bench = bench(&[
        pod("unsaid", &json!({})),
        pod("short", &stands("node.kubernetes.io/unreachable", json!(20))),
        pod("for-ever", &json!({"tolerations": [{"operator": "Exists"}]})),
    ]);
    let going = |bench: &Bench| -> Vec<String> {
        let pods = bench.api.names(&resources::pods());
        let is =
            |name: &String| PodView(bench.api.get(&resources::pods(), "default", name).unwrap()).meta().is_deleting();
        pods.into_iter().filter(is).collect()
    };
    bench.pass(seconds(15));
    assert_eq!((ready(&bench), going(&bench).len()), ("Unknown".to_owned(), 0));
    bench.pass(seconds(15));
    assert_eq!(going(&bench), ["short"]);
    bench.pass(seconds(300));
    assert_eq!(going(&bench), ["short", "unsaid"]);
    bench.api.edit(&resources::nodes(), "", "node-1", |node| {
        node["spec"]["taints"] = json!([{"key": "evil", "effect": "NoExecute"}]);
    });
    bench.api.create(&resources::pods(), pod("new", &json!({})));
    bench.settle();
    assert_eq!(going(&bench), ["new", "short", "unsaid"]);
}

#[test]
fn pods_of_a_fenced_node_have_failed_and_leave_if_they_were_to() {
    let mut leaving = pod("leaving", &json!({}));
    leaving["metadata"]["deletionTimestamp"] = json!(NOW.rfc3339());
    let mut bench = bench(&[pod("exec", &json!({})), leaving]);
    bench.pass(seconds(10));
    let exec = |bench: &Bench| bench.api.get(&resources::pods(), "default", "exec").unwrap().clone();
    assert_eq!(PodView(&exec(&bench)).phase(), "Running", "silent is not lost: its processes may live");
    bench.api.edit(&resources::nodes(), "", "node-1", |node| {
        node["metadata"]["annotations"] = json!({"emberyard.dev/fenced": "true"});
    });
    bench.settle();
    let failed = exec(&bench);
    assert_eq!((PodView(&failed).phase(), text(&failed, &["status", "reason"])), ("Failed", "NodeLost"));
    let container = &failed["status"]["containerStatuses"][0];
    assert_eq!(container["state"]["terminated"]["exitCode"], json!(137));
    assert_eq!((container["state"].get("running"), &container["restartCount"]), (None, &json!(2)));
    assert!(bench.api.get(&resources::pods(), "default", "leaving").is_none());
}

#[test]
fn pods_of_a_vanished_node_fail_and_are_cleared_away_later() {
    let mut bench = bench(&[pod("exec", &json!({}))]);
    bench.start(Box::new(Loop::new(PodGarbage::new(1000))));
    bench.api.delete(&(resources::nodes(), String::new(), "node-1".to_owned()), &json!({}));
    bench.settle();
    assert_eq!(PodView(bench.api.get(&resources::pods(), "default", "exec").unwrap()).phase(), "Failed");
    bench.pass(seconds(11));
    assert_eq!(bench.api.names(&resources::pods()), Vec::<String>::new());
}

#[test]
fn a_node_that_no_watch_shows_is_asked_for_first() {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::pods(), pod("exec", &json!({})));
    bench.api.faults.push(("GET".to_owned(), 500, 1));
    bench.start(Box::new(Loop::new(NodeLife::default())));
    bench.settle();
    assert_eq!(PodView(bench.api.get(&resources::pods(), "default", "exec").unwrap()).phase(), "Running");
    bench.pass(seconds(1));
    assert_eq!(PodView(bench.api.get(&resources::pods(), "default", "exec").unwrap()).phase(), "Failed");
}

#[test]
fn finished_pods_beyond_the_limit_and_unbound_ones_on_their_way_out_go() {
    let mut bench = bench(&[]);
    for age in 0..8_u32 {
        let mut old = pod(&format!("pod-{age}"), &json!({}));
        old["metadata"]["creationTimestamp"] = json!(Timestamp::from_seconds(NOW.seconds() - i64::from(age)).rfc3339());
        old["status"] = json!({"phase": if age == 7 { "Running" } else { "Succeeded" }});
        bench.api.create(&resources::pods(), old);
    }
    let mut unbound = pod("unbound", &json!({"nodeName": null}));
    unbound["metadata"]["deletionTimestamp"] = json!(NOW.rfc3339());
    unbound["metadata"]["finalizers"] = json!([]);
    bench.api.create(&resources::pods(), unbound);
    bench.start(Box::new(Loop::new(PodGarbage::new(3))));
    bench.settle();
    assert_eq!(bench.api.names(&resources::pods()), ["pod-0", "pod-1", "pod-2", "pod-7"]);
}
