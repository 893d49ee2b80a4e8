//! Tables as kubectl shows them.

use super::*;
use crate::Catalog;

const NOW: &str = "2026-01-31T12:00:00Z";

fn cells_of(group: &str, resource: &str, object: Value) -> Vec<Value> {
    let catalog = Catalog::builtin();
    let kind = catalog.find(group, "v1", resource).unwrap();
    let table = render(kind, &[&object], IncludeObject::None, true, Timestamp::parse(NOW).unwrap());
    table["rows"][0]["cells"].as_array().unwrap().clone()
}

#[test]
fn every_stored_kind_has_a_cell_for_each_column() {
    for kind in Catalog::builtin().kinds().filter(|kind| kind.is_stored()) {
        let cells = cells::of(&kind.gvr.group, &kind.gvr.resource);
        assert_eq!(cells.map(<[_]>::len), Some(kind.columns.len()), "{}", kind.gvr);
        for object in [json!({}), json!({"metadata": 1, "spec": [], "status": "x"})] {
            let table = render(kind, &[&object], IncludeObject::Metadata, true, Timestamp(0));
            assert_eq!(table["rows"][0]["cells"].as_array().unwrap().len(), kind.columns.len());
        }
    }
}

#[test]
fn rows_carry_what_is_asked_for() {
    let catalog = Catalog::builtin();
    let kind = catalog.find("", "v1", "configmaps").unwrap();
    let object = json!({"metadata": {"name": "a", "creationTimestamp": "2026-01-31T11:00:00Z"}, "data": {"x": "y"}});
    let table = |include, columns| render(kind, &[&object], include, columns, Timestamp::parse(NOW).unwrap());
    insta::assert_json_snapshot!(table(IncludeObject::Metadata, true), @r#"
{
  "apiVersion": "meta.k8s.io/v1",
  "columnDefinitions": [
    {
      "description": "Name",
      "format": "name",
      "name": "Name",
      "priority": 0,
      "type": "string"
    },
    {
      "description": "Data",
      "format": "",
      "name": "Data",
      "priority": 0,
      "type": "string"
    },
    {
      "description": "Age",
      "format": "",
      "name": "Age",
      "priority": 0,
      "type": "string"
    }
  ],
  "kind": "Table",
  "metadata": {},
  "rows": [
    {
      "cells": [
        "a",
        1,
        "60m"
      ],
      "object": {
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": {
          "creationTimestamp": "2026-01-31T11:00:00Z",
          "name": "a"
        }
      }
    }
  ]
}
"#);
    assert_eq!(table(IncludeObject::Object, false)["rows"][0]["object"], object);
    assert_eq!(table(IncludeObject::Object, false)["columnDefinitions"], json!([]));
    let empty = render(kind, &[], IncludeObject::Metadata, true, Timestamp(0));
    assert_eq!(empty["columnDefinitions"].as_array().unwrap().len(), 3);
    assert_eq!(empty["rows"], json!([]));
}

#[test]
fn pod_status() {
    let waiting = |reason: &str| json!([{"name": "c", "state": {"waiting": {"reason": reason}}}]);
    let ended = |reason: &str| json!([{"name": "c", "state": {"terminated": {"reason": reason, "exitCode": 1}}}]);
    let running = json!([{"name": "c", "ready": true, "state": {"running": {}}}]);
    let table = [
        (json!({"status": {"phase": "Pending"}}), "Pending"),
        (
            json!({"status": {"phase": "Pending", "containerStatuses": waiting("ContainerCreating")}}),
            "ContainerCreating",
        ),
        (json!({"status": {"phase": "Pending", "containerStatuses": waiting("ErrImagePull")}}), "ErrImagePull"),
        (json!({"status": {"phase": "Running", "containerStatuses": running}}), "Running"),
        (json!({"status": {"phase": "Running", "containerStatuses": waiting("CrashLoopBackOff")}}), "CrashLoopBackOff"),
        (json!({"status": {"phase": "Succeeded", "containerStatuses": ended("Completed")}}), "Completed"),
        (json!({"status": {"phase": "Failed", "containerStatuses": ended("Error")}}), "Error"),
        (json!({"status": {"phase": "Failed", "containerStatuses": ended("OOMKilled")}}), "OOMKilled"),
        (
            json!({"status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}}),
            "ExitCode:3",
        ),
        (
            json!({"status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"signal": 9}}}]}}),
            "Signal:9",
        ),
        (json!({"status": {"phase": "Failed", "reason": "Evicted"}}), "Evicted"),
        (json!({"metadata": {"deletionTimestamp": NOW}, "status": {"phase": "Running"}}), "Terminating"),
        (
            json!({"metadata": {"deletionTimestamp": NOW}, "status": {"phase": "Running", "reason": "NodeLost"}}),
            "Unknown",
        ),
        (
            json!({"spec": {"initContainers": [{"name": "i"}, {"name": "j"}]}, "status": {"phase": "Pending",
            "initContainerStatuses": [{"name": "i", "state": {"running": {}}}]}}),
            "Init:0/2",
        ),
        (
            json!({"spec": {"initContainers": [{"name": "i"}, {"name": "j"}]}, "status": {"phase": "Pending",
            "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 0}}}, {"name": "j", "state": {"waiting": {"reason": "PodInitializing"}}}]}}),
            "Init:1/2",
        ),
        (json!({"status": {"phase": "Pending", "initContainerStatuses": ended("Error")}}), "Init:Error"),
        (
            json!({"status": {"phase": "Pending", "initContainerStatuses": waiting("CrashLoopBackOff")}}),
            "Init:CrashLoopBackOff",
        ),
        (
            json!({"status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]}}),
            "SchedulingGated",
        ),
        (
            json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [
            {"state": {"terminated": {"reason": "Completed"}}}, {"ready": true, "state": {"running": {}}}]}}),
            "Running",
        ),
    ];
    for (pod, wanted) in table {
        assert_eq!(cells_of("", "pods", pod.clone())[2], wanted, "{pod}");
    }
}

#[test]
fn rows_of_common_kinds() {
    let row = |group: &str, resource: &str, object: Value| -> String {
        cells_of(group, resource, object)
            .iter()
            .map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    let meta = |name: &str| json!({"name": name, "creationTimestamp": "2026-01-31T11:55:00Z"});
    let rows = [
        row(
            "",
            "pods",
            json!({"metadata": meta("p"), "spec": {"containers": [{}, {}], "nodeName": "n"}, "status": {"phase": "Running", "podIP": "10.42.1.2",
            "containerStatuses": [{"ready": true, "restartCount": 2, "state": {"running": {}}, "lastState": {"terminated": {"finishedAt": "2026-01-31T11:59:00Z"}}}]}}),
        ),
        row(
            "",
            "nodes",
            json!({"metadata": {"name": "n", "creationTimestamp": "2026-01-30T12:00:00Z", "labels": {"node-role.kubernetes.io/worker": ""}},
            "spec": {"unschedulable": true}, "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1"},
            "addresses": [{"type": "InternalIP", "address": "10.41.0.11"}]}}),
        ),
        row(
            "",
            "services",
            json!({"metadata": meta("s"), "spec": {"type": "NodePort", "clusterIP": "10.96.0.5", "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}], "selector": {"a": "b"}}}),
        ),
        row("", "services", json!({"metadata": meta("s"), "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.5"}})),
        row("", "secrets", json!({"metadata": meta("s"), "type": "Opaque", "data": {"a": "b", "c": "d"}})),
        row(
            "",
            "persistentvolumeclaims",
            json!({"metadata": meta("c"), "spec": {"volumeName": "v", "storageClassName": "local", "volumeMode": "Filesystem"},
            "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}}),
        ),
        row(
            "",
            "persistentvolumes",
            json!({"metadata": meta("v"), "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
            "persistentVolumeReclaimPolicy": "Delete", "claimRef": {"namespace": "n", "name": "c"}}, "status": {"phase": "Bound"}}),
        ),
        row(
            "",
            "events",
            json!({"metadata": meta("e"), "type": "Normal", "reason": "Pulled", "involvedObject": {"kind": "Pod", "name": "p"}, "message": "m\n",
            "source": {"component": "kubelet", "host": "n"}, "count": 3, "firstTimestamp": "2026-01-31T11:00:00Z", "lastTimestamp": "2026-01-31T11:59:50Z"}),
        ),
        row(
            "events.k8s.io",
            "events",
            json!({"metadata": meta("e"), "regarding": {"kind": "Pod", "name": "p"}, "note": "m", "eventTime": "2026-01-31T11:59:50.5Z"}),
        ),
        row("coordination.k8s.io", "leases", json!({"metadata": meta("l"), "spec": {"holderIdentity": "h"}})),
        row(
            "storage.k8s.io",
            "storageclasses",
            json!({"metadata": {"name": "local", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "p"}),
        ),
        row(
            "rbac.authorization.k8s.io",
            "rolebindings",
            json!({"metadata": meta("b"), "roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "ServiceAccount", "namespace": "n", "name": "s"}, {"kind": "User", "name": "u"}]}),
        ),
        row(
            "discovery.k8s.io",
            "endpointslices",
            json!({"metadata": meta("s"), "addressType": "IPv4", "ports": [{"port": 80}], "endpoints": [{"addresses": ["10.42.1.2"]}]}),
        ),
    ];
    insta::assert_snapshot!(rows.join("\n"), @r"
p | 1/2 | Running | 2 (60s ago) | 5m | 10.42.1.2 | n | <none> | <none>
n | Ready,SchedulingDisabled | worker | 24h | v1 | 10.41.0.11 | <none> | <unknown> | <unknown> | <unknown>
s | NodePort | 10.96.0.5 | <none> | 80:30080/TCP | 5m | a=b
s | LoadBalancer | 10.96.0.5 | <pending> | <none> | 5m | <none>
s | Opaque | 2 | 5m
c | Bound | v | 1Gi | RWO | local | <unset> | 5m | Filesystem
v | 1Gi | RWO,ROX | Delete | Bound | n/c |  | <unset> |  | 5m | <unset>
10s | Normal | Pulled | pod/p |  | kubelet, n | m | 60m | 3 | e
9s |  |  | pod/p |  |  | m | 9s | 1 | e
l | h | 5m
local (default) | p |  |  | false | <unknown>
b | Role/r | 5m | u |  | n/s
s | IPv4 | 80 | 10.42.1.2 | 5m
");
}

#[test]
fn custom_columns() {
    let crd = json!({"spec": {"group": "e.dev", "names": {"plural": "things", "kind": "Thing"}, "scope": "Namespaced",
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}},
            "additionalPrinterColumns": [{"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
                {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
                {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]}]}});
    let catalog = Catalog::builtin().with_crd(&crd).unwrap();
    let kind = catalog.find("e.dev", "v1", "things").unwrap();
    let thing = json!({"metadata": {"name": "a", "creationTimestamp": "2026-01-31T11:59:00Z"}, "spec": {"size": 3}});
    let table = render(kind, &[&thing], IncludeObject::None, true, Timestamp::parse(NOW).unwrap());
    assert_eq!(table["rows"][0]["cells"], json!(["a", null, 3, "60s"]));
}

#[test]
fn workloads() {
    let template = json!({"spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y"}]}});
    let selector = json!({"matchLabels": {"app": "web"}});
    let meta = json!({"name": "web", "creationTimestamp": "2026-01-31T11:59:00Z"});
    let set = json!({"metadata": meta, "spec": {"replicas": 3, "template": template, "selector": selector},
        "status": {"replicas": 2, "readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}});
    let job = json!({"metadata": meta, "spec": {"completions": 4, "parallelism": 2, "template": template, "selector": selector},
        "status": {"succeeded": 1, "startTime": "2026-01-31T11:59:30Z"}});
    let mut failed = job.clone();
    failed["status"]["conditions"] =
        json!([{"type": "Failed", "status": "True", "lastTransitionTime": "2026-01-31T11:59:40Z"}]);
    let revision = json!({"metadata": {"name": "r", "creationTimestamp": "2026-01-31T11:59:00Z", "ownerReferences": [
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "u", "controller": true}]}, "revision": 3});
    let budget = json!({"metadata": meta, "spec": {"maxUnavailable": "25%"}, "status": {"disruptionsAllowed": 1}});
    let table = [
        ("apps", "deployments", &set, json!(["web", "1/3", 2, 1, "60s", "a,b", "x:1,y", "app=web"])),
        ("apps", "replicasets", &set, json!(["web", 3, 2, 1, "60s", "a,b", "x:1,y", "app=web"])),
        ("apps", "statefulsets", &set, json!(["web", "1/3", "60s", "a,b", "x:1,y"])),
        ("batch", "jobs", &job, json!(["web", "Running", "1/4", "30s", "60s", "a,b", "x:1,y", "app=web"])),
        ("batch", "jobs", &failed, json!(["web", "Failed", "1/4", "10s", "60s", "a,b", "x:1,y", "app=web"])),
        ("apps", "controllerrevisions", &revision, json!(["r", "statefulset.apps/web", 3, "60s"])),
        ("policy", "poddisruptionbudgets", &budget, json!(["web", "N/A", "25%", 1, "60s"])),
    ];
    for (group, resource, object, wanted) in table {
        assert_eq!(json!(cells_of(group, resource, object.clone())), wanted, "{resource}");
    }
}
