use super::{ClaimProtection, VolumeBinder, VolumeProtection};
use crate::fake::Bench;
use crate::reconcile::Loop;
use crate::resources;
use emberyard_model::Timestamp;
use emberyard_object::view::text;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn claim(name: &str, class: Option<&str>) -> Value {
    let mut claim = json!({
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}")},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
        "status": {"phase": "Pending"},
    });
    if let Some(class) = class {
        claim["spec"]["storageClassName"] = json!(class);
    }
    claim
}

fn class(name: &str, extra: &Value) -> Value {
    let mut class =
        json!({"metadata": {"name": name}, "provisioner": "emberyard.dev/local", "reclaimPolicy": "Delete"});
    for (key, value) in extra.as_object().into_iter().flatten() {
        class[key] = value.clone();
    }
    class
}

fn start(bench: &mut Bench) {
    bench.start(Box::new(Loop::new(VolumeBinder::new("/yard/volumes/".to_owned()))));
    bench.start(Box::new(Loop::new(ClaimProtection)));
    bench.start(Box::new(Loop::new(VolumeProtection)));
    bench.settle();
}

fn bench(claims: &[Value]) -> Bench {
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::storage_classes(), class("local", &json!({})));
    bench.api.create(&resources::storage_classes(), class("kept", &json!({"reclaimPolicy": "Retain"})));
    bench
        .api
        .create(&resources::storage_classes(), class("lazy", &json!({"volumeBindingMode": "WaitForFirstConsumer"})));
    bench.api.create(&resources::storage_classes(), class("foreign", &json!({"provisioner": "ebs.csi.aws.com"})));
    for claim in claims {
        bench.api.create(&resources::persistent_volume_claims(), claim.clone());
    }
    start(&mut bench);
    bench
}

fn get<'a>(bench: &'a Bench, claim: &str) -> &'a Value {
    bench.api.get(&resources::persistent_volume_claims(), "default", claim).unwrap()
}

fn phase(object: &Value) -> &str {
    text(object, &["status", "phase"])
}

fn delete(bench: &mut Bench, claim: &str) {
    bench.api.delete(&(resources::persistent_volume_claims(), "default".to_owned(), claim.to_owned()), &json!({}));
    bench.settle();
}

#[test]
fn a_claim_gets_a_folder_and_both_know_it() {
    let bench = bench(&[claim("data", Some("local"))]);
    let claim = get(&bench, "data");
    assert_eq!((phase(claim), text(claim, &["spec", "volumeName"])), ("Bound", "pvc-uid-data"));
    assert_eq!(claim["status"]["capacity"], json!({"storage": "5Gi"}));
    let volume = bench.api.get(&resources::persistent_volumes(), "", "pvc-uid-data").unwrap();
    assert_eq!(phase(volume), "Bound");
    assert_eq!(volume["spec"]["hostPath"]["path"], json!("/yard/volumes/pvc-uid-data"));
    assert_eq!(volume["spec"]["claimRef"]["uid"], json!("uid-data"));
}

/// The folder that may be removed with a volume. Who holds the disk removes both; here it is only said.
fn given_up<'a>(bench: &'a Bench, volume: &str) -> Option<&'a str> {
    let volume = bench.api.get(&resources::persistent_volumes(), "", volume).unwrap();
    let mark = volume["metadata"]["annotations"]["emberyard.dev/reclaim"].as_str();
    assert!(mark.is_none() || phase(volume) == "Released");
    mark
}

#[test]
fn what_is_given_back_is_cleared_away_or_kept() {
    let mut bench = bench(&[claim("data", Some("local")), claim("keep", Some("kept"))]);
    delete(&mut bench, "data");
    delete(&mut bench, "keep");
    assert_eq!(bench.api.names(&resources::persistent_volume_claims()), Vec::<String>::new());
    assert_eq!(given_up(&bench, "pvc-uid-keep"), None);
    assert_eq!(given_up(&bench, "pvc-uid-data"), Some("/yard/volumes/pvc-uid-data"));
}

#[test]
fn a_claim_in_use_stays_until_the_pod_has_ended() {
    let mut bench = bench(&[claim("data", Some("local"))]);
    let pod = json!({
        "metadata": {"name": "user", "namespace": "default"},
        "spec": {"nodeName": "node-1", "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
        "status": {"phase": "Running"},
    });
    bench.api.create(&resources::pods(), pod);
    bench.settle();
    delete(&mut bench, "data");
    assert_eq!((phase(get(&bench, "data")), given_up(&bench, "pvc-uid-data")), ("Bound", None));
    bench.api.edit(&resources::pods(), "default", "user", |pod| pod["status"]["phase"] = json!("Succeeded"));
    bench.settle();
    assert!(given_up(&bench, "pvc-uid-data").is_some());
}

#[test]
fn classes_decide() {
    let mut bench = bench(&[
        claim("lazy", Some("lazy")),
        claim("foreign", Some("foreign")),
        claim("none", Some("")),
        claim("unsaid", None),
    ]);
    for name in ["lazy", "foreign", "none", "unsaid"] {
        assert_eq!(phase(get(&bench, name)), "Pending", "{name}");
    }
    let pod = json!({
        "metadata": {"name": "user", "namespace": "default"},
        "spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "lazy"}}]},
        "status": {"phase": "Pending"},
    });
    bench.api.create(&resources::pods(), pod);
    let default = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    bench.api.edit(&resources::storage_classes(), "", "local", |class| class["metadata"]["annotations"] = default);
    bench.settle();
    assert_eq!((phase(get(&bench, "lazy")), phase(get(&bench, "unsaid"))), ("Bound", "Bound"));
}

#[test]
fn a_volume_that_is_there_is_taken_the_smallest_first() {
    let mut bench = bench(&[]);
    for (name, size, extra) in [("big", "50Gi", ""), ("fit", "6Gi", ""), ("small", "1Gi", ""), ("other", "5Gi", "nfs")]
    {
        let volume = json!({
            "metadata": {"name": name},
            "spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce", "ReadWriteMany"], "storageClassName": extra},
            "status": {"phase": "Pending"},
        });
        bench.api.create(&resources::persistent_volumes(), volume);
    }
    bench.settle();
    assert_eq!(phase(bench.api.get(&resources::persistent_volumes(), "", "big").unwrap()), "Available");
    bench.api.create(&resources::persistent_volume_claims(), claim("static", Some("")));
    bench.settle();
    assert_eq!(text(get(&bench, "static"), &["spec", "volumeName"]), "fit");
    assert_eq!(phase(get(&bench, "static")), "Bound");
}

#[test]
fn after_a_restart_no_data_goes_unless_the_server_says_that_the_claim_is_gone() {
    let mut bench = bench(&[claim("data", Some("local"))]);
    bench.crash();
    bench.api.objects.retain(|(of, ..), _| *of != resources::persistent_volume_claims());
    bench.api.faults.push(("GET".to_owned(), 500, 2));
    start(&mut bench);
    assert_eq!(given_up(&bench, "pvc-uid-data"), None);
    bench.pass(std::time::Duration::from_secs(5));
    assert!(given_up(&bench, "pvc-uid-data").is_some());
}

#[test]
fn any_crash_leads_to_the_same_end() {
    for steps in 0..14 {
        let mut bench = Bench::new(NOW);
        bench.api.create(&resources::storage_classes(), class("local", &json!({})));
        bench.api.create(&resources::persistent_volume_claims(), claim("data", Some("local")));
        bench.start(Box::new(Loop::new(VolumeBinder::new("/v".to_owned()))));
        bench.steps(steps);
        bench.crash();
        bench.start(Box::new(Loop::new(VolumeBinder::new("/v".to_owned()))));
        bench.settle();
        assert_eq!(phase(get(&bench, "data")), "Bound", "after {steps} steps");
        assert_eq!(bench.api.names(&resources::persistent_volumes()), ["pvc-uid-data"]);
    }
}
