use super::Deployments;
use crate::fake::Bench;
use crate::reconcile::Loop;
use crate::replica_sets::ReplicaSets;
use crate::resources;
use emberyard_model::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn deployment(replicas: i64, spec: &Value) -> Value {
    let mut deployment = json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "deployment", "generation": 1,
            "annotations": {"kubernetes.io/change-cause": "first", "kubectl.kubernetes.io/last-applied-configuration": "{}"}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "v1"}]}}},
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        deployment["spec"][field] = value.clone();
    }
    deployment
}

fn start(bench: &mut Bench) {
    bench.start(Box::new(Loop::new(Deployments)));
    bench.start(Box::new(Loop::new(ReplicaSets::default())));
    bench.settle();
}

fn bench(deployment: Value) -> Bench {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::deployments(), deployment);
    start(&mut bench);
    bench
}

fn live(bench: &Bench) -> &Value {
    bench.api.get(&resources::deployments(), "default", "web").unwrap()
}

fn change(bench: &mut Bench, edit: impl FnOnce(&mut Value)) {
    bench.api.edit(&resources::deployments(), "default", "web", |one| {
        edit(&mut one["spec"]);
        one["metadata"]["generation"] = json!(one["metadata"]["generation"].as_i64().unwrap() + 1);
    });
    bench.settle();
}

fn image(bench: &mut Bench, image: &str) {
    change(bench, |spec| spec["template"]["spec"]["containers"][0]["image"] = json!(image));
}

/// Pods by image, and how many of them are ready.
fn count(bench: &Bench, image: &str) -> (usize, usize) {
    let pods = bench.api.objects.iter().filter(|((of, ..), _)| *of == resources::pods()).map(|(_, pod)| pod);
    let of: Vec<&Value> = pods.filter(|pod| pod["spec"]["containers"][0]["image"] == image).collect();
    (of.len(), of.iter().filter(|pod| pod["status"]["phase"] == "Running").count())
}

/// One more pod becomes ready; whether there was one.
fn one_runs(bench: &mut Bench) -> bool {
    let waits = bench
        .api
        .objects
        .iter()
        .find(|((of, ..), pod)| *of == resources::pods() && pod["status"]["phase"] != "Running");
    let Some(name) = waits.map(|((_, _, name), _)| name.clone()) else { return false };
    let since = bench.now.rfc3339();
    bench.api.edit(&resources::pods(), "default", &name, |pod| {
        pod["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": since}]});
    });
    bench.settle();
    true
}

fn all_run(bench: &mut Bench) {
    while one_runs(bench) {}
}

fn condition(bench: &Bench, type_: &str) -> (String, String) {
    let all = live(bench)["status"]["conditions"].as_array().unwrap();
    let one = all.iter().find(|one| one["type"] == type_).unwrap();
    (one["status"].as_str().unwrap().to_owned(), one["reason"].as_str().unwrap().to_owned())
}

fn progress(bench: &Bench) -> String {
    condition(bench, "Progressing").1
}

fn revisions(bench: &Bench) -> Vec<(String, i64)> {
    let sets = bench.api.objects.iter().filter(|((of, ..), _)| *of == resources::replica_sets()).map(|(_, set)| set);
    let mut all: Vec<(String, i64)> = sets
        .map(|set| {
            let number = set["metadata"]["annotations"]["deployment.kubernetes.io/revision"].as_str().unwrap();
            (number.to_owned(), set["spec"]["replicas"].as_i64().unwrap())
        })
        .collect();
    all.sort();
    all
}

fn pairs(wanted: &[(&str, i64)]) -> Vec<(String, i64)> {
    wanted.iter().map(|(number, size)| ((*number).to_owned(), *size)).collect()
}

#[test]
fn a_deployment_comes_up() {
    let mut bench = bench(deployment(3, &json!({})));
    assert_eq!(condition(&bench, "Available"), ("False".to_owned(), "MinimumReplicasUnavailable".to_owned()));
    all_run(&mut bench);
    let status = &live(&bench)["status"];
    let numbers = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "observedGeneration"]
        .map(|field| status[field].as_i64().unwrap_or(0));
    assert_eq!(numbers, [3, 3, 3, 3, 1]);
    assert!(status.get("unavailableReplicas").is_none());
    assert_eq!(condition(&bench, "Available"), ("True".to_owned(), "MinimumReplicasAvailable".to_owned()));
    assert_eq!(progress(&bench), "NewReplicaSetAvailable");
    assert_eq!(live(&bench)["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1");
    let (_, set) = bench.api.objects.iter().find(|((of, ..), _)| *of == resources::replica_sets()).unwrap();
    let hash = set["metadata"]["labels"]["pod-template-hash"].as_str().unwrap();
    assert_eq!(set["metadata"]["name"], format!("web-{hash}"));
    assert_eq!(set["spec"]["selector"]["matchLabels"], json!({"app": "web", "pod-template-hash": hash}));
    assert_eq!(
        set["metadata"]["annotations"],
        json!({"kubernetes.io/change-cause": "first", "deployment.kubernetes.io/revision": "1"})
    );
    let requests = bench.api.seen.len();
    bench.crash();
    start(&mut bench);
    assert_eq!(bench.api.seen.len(), requests, "a restart changes nothing");
}

#[test]
fn a_roll_out_keeps_within_its_limits() {
    for (replicas, surge, away) in [
        (4, json!("25%"), json!("25%")),
        (3, json!(1), json!(0)),
        (3, json!(0), json!(1)),
        (5, json!("100%"), json!(0)),
        (1, json!("25%"), json!("25%")),
    ] {
        let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": away}});
        let mut bench = bench(deployment(replicas, &json!({"strategy": strategy})));
        all_run(&mut bench);
        let part = |value: &Value, up: bool| match value.as_str().and_then(|text| text.strip_suffix('%')) {
            Some(percent) => (percent.parse::<i64>().unwrap() * replicas + if up { 99 } else { 0 }) / 100,
            None => value.as_i64().unwrap(),
        };
        let (most, least) = (replicas + part(&surge, true), replicas - part(&away, false));
        image(&mut bench, "v2");
        loop {
            let ((old, old_ready), (new, new_ready)) = (count(&bench, "v1"), count(&bench, "v2"));
            assert!(i64::try_from(old + new).unwrap() <= most, "{old}+{new} of {most}");
            assert!(i64::try_from(old_ready + new_ready).unwrap() >= least, "{old_ready}+{new_ready} of {least}");
            if !one_runs(&mut bench) {
                break;
            }
        }
        let all = usize::try_from(replicas).unwrap();
        assert_eq!((count(&bench, "v1"), count(&bench, "v2")), ((0, 0), (all, all)));
        assert_eq!(progress(&bench), "NewReplicaSetAvailable");
        assert_eq!(revisions(&bench), pairs(&[("1", 0), ("2", replicas)]));
    }
}

#[test]
fn back_to_an_older_template() {
    let mut bench = bench(deployment(1, &json!({"revisionHistoryLimit": 1})));
    for version in ["v2", "v3", "v1"] {
        all_run(&mut bench);
        image(&mut bench, version);
    }
    all_run(&mut bench);
    assert_eq!(count(&bench, "v1"), (1, 1));
    assert_eq!(revisions(&bench), pairs(&[("3", 0), ("4", 1)]), "history is cut to its limit");
    image(&mut bench, "v3");
    all_run(&mut bench);
    assert_eq!(revisions(&bench), pairs(&[("4", 0), ("5", 1)]), "the set of a template is used again");
    assert_eq!(live(&bench)["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "5");
}

#[test]
fn recreate_ends_the_old_first() {
    let mut bench = bench(deployment(2, &json!({"strategy": {"type": "Recreate"}})));
    all_run(&mut bench);
    // Bound pods take their time to end.
    let names: Vec<String> = bench.api.names(&resources::pods());
    for name in &names {
        bench.api.edit(&resources::pods(), "default", name, |pod| pod["spec"]["nodeName"] = json!("n"));
    }
    bench.settle();
    image(&mut bench, "v2");
    assert_eq!((count(&bench, "v1").0, count(&bench, "v2").0), (2, 0));
    for name in &names {
        bench.api.delete(&(resources::pods(), "default".to_owned(), name.clone()), &json!({"gracePeriodSeconds": 0}));
        bench.settle();
    }
    assert_eq!((count(&bench, "v1").0, count(&bench, "v2").0), (0, 2));
}

#[test]
fn a_pause_holds_the_template_and_not_the_number() {
    let mut bench = bench(deployment(2, &json!({})));
    all_run(&mut bench);
    change(&mut bench, |spec| spec["paused"] = json!(true));
    assert_eq!(progress(&bench), "DeploymentPaused");
    image(&mut bench, "v2");
    change(&mut bench, |spec| spec["replicas"] = json!(3));
    assert_eq!((count(&bench, "v1").0, count(&bench, "v2").0), (3, 0));
    change(&mut bench, |spec| spec["paused"] = json!(false));
    all_run(&mut bench);
    assert_eq!((count(&bench, "v1").0, count(&bench, "v2").0), (0, 3));
    assert_eq!(progress(&bench), "NewReplicaSetAvailable");
}

#[test]
fn scaling_is_no_roll_out_and_a_stuck_one_is_told() {
    let mut bench = bench(deployment(2, &json!({})));
    all_run(&mut bench);
    change(&mut bench, |spec| spec["replicas"] = json!(4));
    assert_eq!(progress(&bench), "NewReplicaSetAvailable");
    all_run(&mut bench);
    bench.pass(Duration::from_hours(1));
    assert_eq!(progress(&bench), "NewReplicaSetAvailable");
    image(&mut bench, "broken");
    assert_eq!(progress(&bench), "ReplicaSetUpdated");
    bench.pass(Duration::from_mins(9));
    assert_eq!(progress(&bench), "ReplicaSetUpdated");
    bench.pass(Duration::from_mins(2));
    assert_eq!(condition(&bench, "Progressing"), ("False".to_owned(), "ProgressDeadlineExceeded".to_owned()));
    assert_eq!(count(&bench, "v1").1, 3, "at most a quarter is away");
    image(&mut bench, "v1");
    all_run(&mut bench);
    assert_eq!((count(&bench, "v1").0, progress(&bench)), (4, "NewReplicaSetAvailable".to_owned()));
}

#[test]
fn faults_pass() {
    for fault in ["POST", "PUT", "DELETE"] {
        for status in [500, 409, 0] {
            if (fault, status) == ("POST", 409) {
                continue; // somebody else's object of that name, which the watch would tell of
            }
            let mut bench = Bench::new(NOW);
            bench.api.create(&resources::deployments(), deployment(2, &json!({})));
            bench.api.faults.push((fault.to_owned(), status, 3));
            start(&mut bench);
            bench.pass(Duration::from_secs(20));
            all_run(&mut bench);
            image(&mut bench, "v2");
            for _ in 0..6 {
                bench.pass(Duration::from_secs(20));
                all_run(&mut bench);
            }
            assert_eq!((count(&bench, "v1"), count(&bench, "v2")), ((0, 0), (2, 2)), "{fault} {status}");
        }
    }
}

fn replica_set(uid: usize, size: i64, available: i64) -> Value {
    json!({"metadata": {"name": format!("web-{uid}"), "namespace": "default", "uid": uid.to_string()},
        "spec": {"replicas": size}, "status": {"replicas": size, "availableReplicas": available}})
}

proptest::proptest! {
    /// Whatever the sets look like, one step makes not too many pods, and takes away none that is needed.
    #[test]
    fn no_step_leaves_the_limits(
        replicas in 1_i64..20, surge in 0_i64..6, away in 0_i64..6,
        sets in proptest::collection::vec((0_i64..12, 0_i64..12), 1..4),
    ) {
        let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": away}});
        let object = deployment(replicas, &json!({"strategy": strategy}));
        let deployment = super::Deployment(&object);
        let (surge, away) = deployment.leeway();
        let sets: Vec<Value> =
            sets.iter().enumerate().map(|(uid, (size, available))| replica_set(uid, *size, *available.min(size))).collect();
        let (new, old) = sets.split_first().unwrap();
        let old: Vec<&Value> = old.iter().collect();
        let mut after = sets.clone();
        for request in super::rolling::steps(deployment, new, &old) {
            let body = request.body.unwrap();
            let set = after.iter_mut().find(|set| set["metadata"]["uid"] == body["metadata"]["uid"]).unwrap();
            *set = body;
        }
        let sizes = |sets: &[Value]| sets.iter().map(super::wanted).sum::<i64>();
        // A set that shrinks lets go of what serves nobody first.
        let serving = |sets: &[Value]| sets.iter().map(|set| super::counted(set, "availableReplicas").min(super::wanted(set))).sum::<i64>();
        proptest::prop_assert!(sizes(&after) <= sizes(&sets).max(replicas + surge));
        let kept = serving(&after);
        let before_new = super::wanted(new).min(replicas);
        let least = (replicas - away).min(serving(&sets) - (super::wanted(new) - before_new));
        proptest::prop_assert!(kept >= least, "{kept} of {least}: {sets:?} {after:?}");
    }
}
