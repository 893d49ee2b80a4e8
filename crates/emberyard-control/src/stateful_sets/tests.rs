use super::StatefulSets;
use super::identity::ordinal;
use crate::fake::Bench;
use crate::reconcile::Loop;
use crate::resources;
use emberyard_model::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn set(replicas: i64, spec: &Value) -> Value {
    let mut set = json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "set", "generation": 1},
        "spec": {"replicas": replicas, "serviceName": "web", "selector": {"matchLabels": {"app": "web"}},
            "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "v1"}]}}},
        "status": {"replicas": 0, "availableReplicas": 0},
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        set["spec"][field] = value.clone();
    }
    set
}

fn disks() -> Value {
    json!([{"metadata": {"name": "data", "labels": {"a": "b"}}, "spec": {"accessModes": ["ReadWriteOnce"]}}])
}

fn bench(set: Value) -> Bench {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::stateful_sets(), set);
    bench.start(Box::new(Loop::new(StatefulSets)));
    bench.settle();
    bench
}

fn pods(bench: &Bench) -> Vec<String> {
    bench.api.names(&resources::pods())
}

fn change(bench: &mut Bench, edit: impl FnOnce(&mut Value)) {
    bench.api.edit(&resources::stateful_sets(), "default", "web", |set| {
        edit(&mut set["spec"]);
        set["metadata"]["generation"] = json!(set["metadata"]["generation"].as_i64().unwrap() + 1);
    });
    bench.settle();
}

/// As its node's agent would tell.
fn runs(bench: &mut Bench, pod: &str) {
    let since = bench.now.rfc3339();
    bench.api.edit(&resources::pods(), "default", pod, |pod| {
        pod["status"] = json!({"phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": since}]});
    });
    bench.settle();
}

/// Lets every pod run that does not yet, one after the other, until nothing new comes; in which order they were made.
fn all_run(bench: &mut Bench) -> Vec<String> {
    let mut order = Vec::new();
    while let Some(next) = pods(bench).into_iter().find(|pod| phase(bench, pod) != "Running") {
        runs(bench, &next);
        order.push(next);
    }
    order
}

fn pod<'a>(bench: &'a Bench, name: &str) -> &'a Value {
    bench.api.get(&resources::pods(), "default", name).unwrap()
}

fn phase(bench: &Bench, name: &str) -> String {
    pod(bench, name)["status"]["phase"].as_str().unwrap_or("Pending").to_owned()
}

fn image(bench: &Bench, name: &str) -> String {
    pod(bench, name)["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
}

fn status(bench: &Bench) -> Value {
    bench.api.get(&resources::stateful_sets(), "default", "web").unwrap()["status"].clone()
}

fn numbers(bench: &Bench) -> [i64; 5] {
    let status = status(bench);
    ["replicas", "readyReplicas", "availableReplicas", "currentReplicas", "updatedReplicas"]
        .map(|field| status[field].as_i64().unwrap_or(0))
}

#[test]
fn names_have_ordinals() {
    let table = [
        ("web-0", Some(0)),
        ("web-12", Some(12)),
        ("web-01", None),
        ("web-", None),
        ("web-x", None),
        ("we-1", None),
        ("web-a-1", None),
    ];
    for (name, wanted) in table {
        assert_eq!(ordinal(name, "web"), wanted, "{name}");
    }
}

#[test]
fn pods_come_one_after_the_other_with_their_disks() {
    let mut bench = bench(set(3, &json!({"volumeClaimTemplates": disks()})));
    assert_eq!(pods(&bench), ["web-0"]);
    let made = pod(&bench, "web-0").clone();
    let labels = &made["metadata"]["labels"];
    assert_eq!(labels["statefulset.kubernetes.io/pod-name"], "web-0");
    assert_eq!(labels["apps.kubernetes.io/pod-index"], "0");
    assert_eq!((&made["spec"]["hostname"], &made["spec"]["subdomain"]), (&json!("web-0"), &json!("web")));
    assert_eq!(
        made["spec"]["volumes"],
        json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}])
    );
    let owner = &made["metadata"]["ownerReferences"][0];
    assert_eq!((&owner["uid"], &owner["controller"]), (&json!("set"), &json!(true)));
    let claim = bench.api.get(&resources::persistent_volume_claims(), "default", "data-web-0").unwrap();
    assert_eq!(claim["metadata"]["labels"], json!({"a": "b", "app": "web"}));
    assert!(claim["metadata"].get("ownerReferences").is_none());
    let at = |part: &str| bench.api.seen.iter().position(|line| line == part).unwrap();
    assert!(
        at("POST /api/v1/namespaces/default/persistentvolumeclaims") < at("POST /api/v1/namespaces/default/pods"),
        "the disk comes first"
    );
    assert_eq!(all_run(&mut bench), ["web-0", "web-1", "web-2"]);
    assert_eq!(numbers(&bench), [3, 3, 3, 3, 3]);
    let said = status(&bench);
    assert_eq!(said["observedGeneration"], 1);
    assert_eq!(said["currentRevision"], said["updateRevision"]);
    assert_eq!(said["collisionCount"], 0);
    let revision = said["currentRevision"].as_str().unwrap();
    assert_eq!(labels["controller-revision-hash"], revision);
    assert_eq!(bench.api.names(&resources::controller_revisions()), [revision]);

    change(&mut bench, |spec| spec["replicas"] = json!(1));
    assert_eq!(pods(&bench), ["web-0"]);
    let deleted: Vec<&String> = bench.api.seen.iter().filter(|line| line.starts_with("DELETE")).collect();
    assert!(deleted[0].ends_with("web-2") && deleted[1].ends_with("web-1"), "{deleted:?}");
    assert_eq!(bench.api.names(&resources::persistent_volume_claims()).len(), 3, "disks stay");
    let requests = bench.api.seen.len();
    bench.crash();
    bench.start(Box::new(Loop::new(StatefulSets)));
    bench.settle();
    assert_eq!(bench.api.seen.len(), requests, "a restart changes nothing");
}

#[test]
fn parallel_sets_wait_for_nobody() {
    let mut bench = bench(set(
        3,
        &json!({"podManagementPolicy": "Parallel", "ordinals": {"start": 5}, "volumeClaimTemplates": disks()}),
    ));
    assert_eq!(pods(&bench), ["web-5", "web-6", "web-7"]);
    change(&mut bench, |spec| spec["replicas"] = json!(0));
    assert_eq!(pods(&bench), Vec::<String>::new());
}

#[test]
fn an_update_rolls_from_the_top() {
    let mut bench = bench(set(3, &json!({})));
    all_run(&mut bench);
    change(&mut bench, |spec| spec["template"]["spec"]["containers"][0]["image"] = json!("v2"));
    for updated in [2, 1, 0] {
        let images: Vec<String> = (0..3).map(|n| image(&bench, &format!("web-{n}"))).collect();
        let wanted: Vec<&str> = (0..3).map(|n| if n >= updated { "v2" } else { "v1" }).collect();
        assert_eq!(images, wanted, "one at a time");
        assert_eq!(status(&bench)["updatedReplicas"], 3 - updated);
        assert_ne!(status(&bench)["updateRevision"], status(&bench)["currentRevision"]);
        runs(&mut bench, &format!("web-{updated}"));
    }
    assert_eq!(numbers(&bench), [3, 3, 3, 3, 3]);
    assert_eq!(status(&bench)["updateRevision"], status(&bench)["currentRevision"]);
    let revisions = || bench.api.objects.iter().filter(|((of, ..), _)| *of == resources::controller_revisions());
    assert_eq!(revisions().count(), 2);
    // What kubectl rollout undo sends: the patch that the older revision is.
    let (_, first) = revisions().find(|(_, one)| one["revision"] == 1).unwrap();
    assert_eq!(first["data"]["spec"]["template"]["$patch"], "replace");
    let template = super::revisions::template(first);
    change(&mut bench, |spec| spec["template"] = template);
    while all_run(&mut bench) != Vec::<String>::new() {}
    assert_eq!(image(&bench, "web-0"), "v1");
    let mut numbers: Vec<i64> = bench
        .api
        .objects
        .iter()
        .filter(|((of, ..), _)| *of == resources::controller_revisions())
        .map(|(_, one)| one["revision"].as_i64().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3], "the old revision became the newest");
}

#[test]
fn partitions_and_on_delete_hold_back() {
    let mut bench =
        bench(set(3, &json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}})));
    all_run(&mut bench);
    change(&mut bench, |spec| spec["template"]["spec"]["containers"][0]["image"] = json!("v2"));
    all_run(&mut bench);
    let images = |bench: &Bench| (0..3).map(|n| image(bench, &format!("web-{n}"))).collect::<Vec<_>>();
    assert_eq!(images(&bench), ["v1", "v1", "v2"]);
    // A pod below the partition that is lost comes back as it was.
    let lost = |name: &str| (resources::pods(), "default".to_owned(), name.to_owned());
    bench.api.delete(&lost("web-0"), &json!({}));
    bench.settle();
    assert_eq!(image(&bench, "web-0"), "v1");
    all_run(&mut bench);
    change(&mut bench, |spec| spec["updateStrategy"] = json!({"type": "OnDelete"}));
    assert_eq!(images(&bench), ["v1", "v1", "v2"]);
    bench.api.delete(&lost("web-1"), &json!({}));
    bench.settle();
    assert_eq!(images(&bench), ["v1", "v2", "v2"]);
}

#[test]
fn readiness_must_last() {
    let mut bench = bench(set(2, &json!({"minReadySeconds": 10})));
    runs(&mut bench, "web-0");
    assert_eq!((pods(&bench).len(), numbers(&bench)), (1, [1, 1, 0, 1, 1]));
    bench.pass(Duration::from_secs(11));
    assert_eq!(pods(&bench), ["web-0", "web-1"]);
    assert_eq!(numbers(&bench)[2], 1);
}

#[test]
fn what_failed_comes_again() {
    let mut bench = bench(set(2, &json!({})));
    all_run(&mut bench);
    let before = pod(&bench, "web-0")["metadata"]["uid"].clone();
    bench.api.edit(&resources::pods(), "default", "web-0", |pod| {
        pod["status"] = json!({"phase": "Failed", "reason": "Evicted"});
    });
    bench.settle();
    assert_ne!(pod(&bench, "web-0")["metadata"]["uid"], before);
    assert_eq!(phase(&bench, "web-0"), "Pending");
}

#[test]
fn claims_go_where_they_are_told_to() {
    let policy = |deleted: &str, scaled: &str| json!({"whenDeleted": deleted, "whenScaled": scaled});
    let table = [
        (policy("Retain", "Retain"), None, None),
        (policy("Delete", "Retain"), Some("StatefulSet"), Some("StatefulSet")),
        (policy("Retain", "Delete"), None, Some("Pod")),
        (policy("Delete", "Delete"), Some("StatefulSet"), Some("Pod")),
    ];
    for (policy, stays, goes) in table {
        let spec = json!({"volumeClaimTemplates": disks(), "persistentVolumeClaimRetentionPolicy": policy});
        let mut bench = bench(set(2, &spec));
        all_run(&mut bench);
        change(&mut bench, |spec| spec["replicas"] = json!(1));
        assert_eq!(pods(&bench), ["web-0"]);
        for (claim, wanted) in [("data-web-0", stays), ("data-web-1", goes)] {
            let claim = bench.api.get(&resources::persistent_volume_claims(), "default", claim).unwrap();
            let owner = claim["metadata"]["ownerReferences"][0]["kind"].as_str();
            assert_eq!(owner, wanted, "{policy}");
            assert_eq!(claim["spec"]["accessModes"], json!(["ReadWriteOnce"]));
        }
        if goes == Some("Pod") {
            change(&mut bench, |spec| spec["replicas"] = json!(2));
            assert_eq!(pods(&bench), ["web-0"], "the disk that goes must be gone first");
            let claim = (resources::persistent_volume_claims(), "default".to_owned(), "data-web-1".to_owned());
            bench.api.delete(&claim, &json!({}));
            bench.settle();
            assert_eq!(pods(&bench), ["web-0", "web-1"]);
        }
    }
}

#[test]
fn pods_are_taken_and_let_go() {
    let mut bench = Bench::new(NOW);
    let mut orphan = json!({"metadata": {"name": "web-0", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "v0"}]}});
    bench.api.create(&resources::pods(), orphan.clone());
    orphan["metadata"]["name"] = json!("web-other");
    bench.api.create(&resources::pods(), orphan);
    bench.api.create(&resources::stateful_sets(), set(1, &json!({})));
    bench.start(Box::new(Loop::new(StatefulSets)));
    bench.settle();
    runs(&mut bench, "web-0"); // it is of no revision, so it is replaced
    assert_eq!(image(&bench, "web-0"), "v1");
    assert!(pod(&bench, "web-other")["metadata"].get("ownerReferences").is_none());
    bench.api.edit(&resources::pods(), "default", "web-0", |pod| pod["metadata"]["labels"] = json!({"app": "mine"}));
    bench.settle();
    assert_eq!(pod(&bench, "web-0")["metadata"]["ownerReferences"], json!([]));
}

#[test]
fn old_revisions_are_forgotten() {
    let mut bench = bench(set(1, &json!({"revisionHistoryLimit": 1})));
    for number in 2..6 {
        all_run(&mut bench);
        change(&mut bench, |spec| spec["template"]["spec"]["containers"][0]["image"] = json!(format!("v{number}")));
    }
    all_run(&mut bench);
    assert_eq!(bench.api.names(&resources::controller_revisions()).len(), 2, "the present one and one more");
}

#[test]
fn faults_pass() {
    for fault in ["POST /api/v1/namespaces/default/pods", "PUT", "DELETE"] {
        for status in [500, 409, 0] {
            let mut bench = Bench::new(NOW);
            bench.api.create(&resources::stateful_sets(), set(2, &json!({})));
            bench.api.faults.push((fault.to_owned(), status, 2));
            bench.start(Box::new(Loop::new(StatefulSets)));
            bench.pass(Duration::from_secs(10));
            if fault.starts_with("POST") && status == 409 {
                continue; // somebody else's pod of that name, which the watch would tell of
            }
            while all_run(&mut bench) != Vec::<String>::new() {
                bench.pass(Duration::from_secs(10));
            }
            change(&mut bench, |spec| spec["replicas"] = json!(1));
            bench.pass(Duration::from_secs(10));
            assert_eq!(pods(&bench), ["web-0"], "{fault} {status}");
        }
    }
}

#[test]
fn several_may_be_away_where_the_set_says_so() {
    for policy in ["OrderedReady", "Parallel"] {
        let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1, "maxUnavailable": "50%"}});
        let mut bench = bench(set(4, &json!({"updateStrategy": strategy, "podManagementPolicy": policy})));
        all_run(&mut bench);
        change(&mut bench, |spec| spec["template"]["spec"]["containers"][0]["image"] = json!("v2"));
        let images = |bench: &Bench| {
            (0..4)
                .filter(|n| pods(bench).contains(&format!("web-{n}")))
                .map(|n| image(bench, &format!("web-{n}")))
                .collect::<Vec<_>>()
        };
        assert!(images(&bench).iter().filter(|image| *image == "v1").count() == 2, "{:?}", images(&bench));
        all_run(&mut bench);
        assert_eq!(images(&bench), ["v1", "v2", "v2", "v2"]);
    }
}

#[test]
fn a_name_that_another_has_is_waited_for() {
    let mut bench = Bench::new(NOW);
    let other = json!([{"apiVersion": "v1", "kind": "Thing", "name": "x", "uid": "x", "controller": true}]);
    let there = json!({"metadata": {"name": "web-0", "namespace": "default", "ownerReferences": other}});
    bench.api.create(&resources::pods(), there);
    bench.api.create(&resources::stateful_sets(), set(1, &json!({})));
    bench.start(Box::new(Loop::new(StatefulSets)));
    bench.settle();
    assert_eq!(pod(&bench, "web-0")["metadata"]["ownerReferences"], other);
    bench.api.delete(&(resources::pods(), "default".to_owned(), "web-0".to_owned()), &json!({}));
    bench.settle();
    assert_eq!(pod(&bench, "web-0")["metadata"]["ownerReferences"][0]["uid"], "set");
}
