//! Scheduler and controllers against the server's real request path: rights, validation, admission, watches.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod yard;

use emberyard_model::Timestamp;
use emberyard_object::{ApiRequest, DeleteOptions, Gvr, Propagation};
use serde_json::{Value, json};
use yard::Yard;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const SPACE: Option<&str> = Some("team");

fn leases() -> Gvr {
    Gvr::new("coordination.k8s.io", "v1", "leases")
}

fn slices() -> Gvr {
    Gvr::new("discovery.k8s.io", "v1", "endpointslices")
}

/// A namespace and two nodes, as agents would register them.
fn yard() -> Yard {
    let mut yard = Yard::new(NOW);
    yard.admin(&ApiRequest::create(
        &Gvr::core("namespaces"),
        None,
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}),
    ));
    for name in ["node-1", "node-2"] {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}});
        yard.admin(&ApiRequest::create(&Gvr::core("nodes"), None, node));
        let status = json!({"status": {
            "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": NOW.rfc3339(), "lastHeartbeatTime": NOW.rfc3339()}],
        }});
        yard.admin(&ApiRequest::patch_strategic_status(&Gvr::core("nodes"), (None, name), status));
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 5, "renewTime": NOW.rfc3339_micro()}});
        yard.admin(&ApiRequest::create(&leases(), Some("kube-node-lease"), lease));
    }
    yard.settle();
    yard
}

fn renew(yard: &mut Yard, name: &str) {
    let patch = json!({"spec": {"renewTime": yard.now.rfc3339_micro()}});
    yard.admin(&ApiRequest::patch_merge(&leases(), (Some("kube-node-lease"), name), patch));
}

fn pod(name: &str, cpu: u64, extra: &Value) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "team", "labels": {"app": "nb"}},
        "spec": {"containers": [{"name": "c", "image": "spark-py", "resources": {"requests": {"cpu": cpu.to_string(), "memory": "1408Mi"}}}]},
    });
    for (field, value) in extra.as_object().into_iter().flatten() {
        let into = if field == "metadata" { &mut pod["metadata"] } else { &mut pod["spec"] };
        for (key, value) in value.as_object().unwrap() {
            into[key] = value.clone();
        }
    }
    pod
}

fn create(yard: &mut Yard, resource: &str, object: Value) -> Value {
    let made = yard.admin(&ApiRequest::create(&Gvr::core(resource), SPACE, object));
    yard.settle();
    made
}

fn runs(yard: &mut Yard, name: &str, ip: &str) {
    let status = json!({"status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": NOW.rfc3339()}],
        "containerStatuses": [{"name": "c", "image": "spark-py", "imageID": "", "ready": true, "restartCount": 0,
            "state": {"running": {"startedAt": NOW.rfc3339()}}}]}});
    yard.admin(&ApiRequest::patch_strategic_status(&Gvr::core("pods"), (SPACE, name), status));
    yard.settle();
}

fn get(yard: &mut Yard, resource: &str, name: &str) -> Value {
    yard.get(&Gvr::core(resource), SPACE, name).unwrap_or_default()
}

fn on(yard: &mut Yard, pod: &str) -> String {
    get(yard, "pods", pod)["spec"]["nodeName"].as_str().unwrap_or("").to_owned()
}

#[test]
fn a_session_from_its_first_pod_to_the_end_of_its_namespace() {
    let mut yard = yard();
    assert_eq!(get(&mut yard, "configmaps", "kube-root-ca.crt")["data"]["ca.crt"], json!("PEM"));
    assert!(!get(&mut yard, "serviceaccounts", "default").is_null());

    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "home", "namespace": "team"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    create(&mut yard, "persistentvolumeclaims", claim);
    assert_eq!(get(&mut yard, "persistentvolumeclaims", "home")["status"]["phase"], json!("Bound"));

    let home = json!({"spec": {"volumes": [{"name": "home", "persistentVolumeClaim": {"claimName": "home"}}]}});
    let notebook = create(&mut yard, "pods", pod("notebook", 1, &home));
    let first = on(&mut yard, "notebook");
    assert_ne!(first, "");
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "driver", "namespace": "team"},
        "spec": {"clusterIP": "None", "publishNotReadyAddresses": true, "selector": {"app": "nb"}, "ports": [{"name": "driver", "port": 29413}]}});
    create(&mut yard, "services", service);
    runs(&mut yard, "notebook", "10.42.1.2");
    let slice = yard.names(&slices(), SPACE);
    let slice = yard.get(&slices(), SPACE, &slice[0]).unwrap();
    assert_eq!(slice["endpoints"][0]["addresses"], json!(["10.42.1.2"]));

    let owner = json!({"metadata": {"labels": {"spark-app-selector": "app"}, "ownerReferences": [
        {"apiVersion": "v1", "kind": "Pod", "name": "notebook", "uid": notebook["metadata"]["uid"], "controller": true}]}});
    for name in ["exec-1", "exec-2"] {
        create(&mut yard, "pods", pod(name, 1, &owner));
    }
    assert_ne!(on(&mut yard, "exec-1"), on(&mut yard, "exec-2"), "siblings stand apart");
    create(&mut yard, "pods", pod("exec-3", 5, &owner));
    let waits = get(&mut yard, "pods", "exec-3");
    let said =
        waits["status"]["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "PodScheduled").unwrap();
    assert_eq!(
        (&said["reason"], &said["message"]),
        (&json!("Unschedulable"), &json!("0/2 nodes are available: 2 Insufficient cpu."))
    );
    assert!(!yard.names(&Gvr::core("events"), SPACE).is_empty());

    let now = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
    yard.admin(&ApiRequest::delete(&Gvr::core("pods"), (SPACE, "notebook"), &now));
    yard.settle();
    assert_eq!(get(&mut yard, "pods", "exec-3"), Value::Null, "unbound: gone at once");
    for name in ["exec-1", "exec-2"] {
        assert!(get(&mut yard, "pods", name)["metadata"]["deletionTimestamp"].is_string(), "{name} is told to stop");
        yard.admin(&ApiRequest::delete(&Gvr::core("pods"), (SPACE, name), &now)); // as its agent does
    }
    yard.start();
    yard.admin(&ApiRequest::delete(&Gvr::core("namespaces"), (None, "team"), &DeleteOptions::default()));
    yard.settle();
    assert_eq!(yard.get(&Gvr::core("namespaces"), None, "team"), None);
    let volumes = yard.names(&Gvr::core("persistentvolumes"), None);
    let volume = yard.get(&Gvr::core("persistentvolumes"), None, &volumes[0]).unwrap();
    assert!(volume["metadata"]["annotations"]["emberyard.dev/reclaim"].is_string(), "its disk may clear it away");
    assert_eq!(yard.refused, Vec::<String>::new());
}

#[test]
fn a_lost_node_and_its_pods() {
    let mut yard = yard();
    create(&mut yard, "pods", pod("exec-1", 3, &json!({})));
    create(&mut yard, "pods", pod("exec-2", 3, &json!({})));
    let (stays, goes) = ("node-1", "node-2");
    let lost = if on(&mut yard, "exec-1") == goes { "exec-1" } else { "exec-2" };
    runs(&mut yard, lost, "10.42.2.2");
    yard.pass(8, |yard| renew(yard, stays));
    let node = yard.get(&Gvr::core("nodes"), None, goes).unwrap();
    let ready = node["status"]["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "Ready").unwrap();
    assert_eq!(ready["status"], json!("Unknown"));
    assert_eq!(node["spec"]["taints"].as_array().unwrap().len(), 2);
    assert_eq!(get(&mut yard, "pods", lost)["status"]["phase"], json!("Running"));
    let fenced = json!({"metadata": {"annotations": {"emberyard.dev/fenced": "true"}}});
    yard.admin(&ApiRequest::patch_merge(&Gvr::core("nodes"), (None, goes), fenced));
    yard.settle();
    let failed = get(&mut yard, "pods", lost);
    assert_eq!(failed["status"]["phase"], json!("Failed"));
    assert_eq!(failed["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], json!(137));
    yard.admin(&ApiRequest::delete(&Gvr::core("nodes"), (None, goes), &DeleteOptions::default()));
    yard.pass(12, |yard| renew(yard, stays));
    assert_eq!(get(&mut yard, "pods", lost), Value::Null);
    assert_eq!(yard.refused, Vec::<String>::new());
}

#[test]
fn foreground_orphan_and_custom_owners() {
    let mut yard = yard();
    let map = |name: &str, owners: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "team", "ownerReferences": owners}});
    let by = |kind: &str, version: &str, owner: &Value| {
        let meta = &owner["metadata"];
        json!([{"apiVersion": version, "kind": kind, "name": meta["name"], "uid": meta["uid"], "blockOwnerDeletion": true}])
    };
    for (policy, left) in [(Propagation::Foreground, 0), (Propagation::Orphan, 1)] {
        let top = create(&mut yard, "configmaps", map("top", json!([])));
        create(&mut yard, "configmaps", map("low", by("ConfigMap", "v1", &top)));
        let options = DeleteOptions { propagation: Some(policy), ..DeleteOptions::default() };
        yard.admin(&ApiRequest::delete(&Gvr::core("configmaps"), (SPACE, "top"), &options));
        yard.settle();
        let names = yard.names(&Gvr::core("configmaps"), SPACE);
        assert_eq!(names.iter().filter(|name| *name != "kube-root-ca.crt").count(), left, "{names:?}");
    }
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]}});
    yard.admin(&ApiRequest::create(
        &Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
        None,
        definition,
    ));
    yard.settle();
    let things = Gvr::new("example.com", "v1", "things");
    let thing =
        json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t", "namespace": "team"}});
    let thing = yard.admin(&ApiRequest::create(&things, SPACE, thing));
    create(&mut yard, "configmaps", map("of-thing", by("Thing", "example.com/v1", &thing)));
    assert!(!get(&mut yard, "configmaps", "of-thing").is_null());
    yard.admin(&ApiRequest::delete(&things, (SPACE, "t"), &DeleteOptions::default()));
    yard.settle();
    assert_eq!(get(&mut yard, "configmaps", "of-thing"), Value::Null);
    assert_eq!(yard.refused, Vec::<String>::new());
}
