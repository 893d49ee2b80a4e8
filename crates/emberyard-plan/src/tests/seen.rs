use super::*;
use crate::observe;

#[test]
fn an_executor_is_seen_with_its_gang_and_demand() {
    let object = json!({
        "metadata": {
            "name": "app-exec-1", "namespace": "default", "creationTimestamp": "2027-01-15T08:00:00Z",
            "labels": {"spark-role": "executor", "spark-app-selector": "spark-1"},
            "ownerReferences": [{"kind": "Pod", "name": "driver", "uid": "u"}]
        },
        "spec": {
            "containers": [{"resources": {"requests": {"cpu": "1", "memory": "1408Mi"}}, "ports": [{"containerPort": 7079}]}],
            "tolerations": [{"key": "a", "operator": "Exists"}]
        },
        "status": {"phase": "Pending"}
    });
    let seen = observe::pod(&object).unwrap();
    assert_eq!(seen.gang, Some(GangId("default/spark-1".to_owned())));
    assert_eq!((seen.demand.base.cpu.0, seen.demand.base.memory.0), (1000, 1408 << 20));
    assert_eq!((seen.standing, seen.tolerations.len(), seen.apart.len()), (Standing::Work, 1, 0));
}

#[test]
fn finished_pods_are_left_out_unless_kept() {
    let mut object = json!({
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"nodeName": "node-1", "containers": []},
        "status": {"phase": "Succeeded"}
    });
    assert_eq!(observe::pod(&object), None);
    object["metadata"]["annotations"] = json!({"emberyard.dev/keep": "true"});
    assert!(matches!(observe::pod(&object).unwrap().standing, Standing::Kept(_)));
}

#[test]
fn what_must_stay_apart_is_seen() {
    let object = json!({
        "metadata": {"name": "p", "namespace": "default", "labels": {"app": "zk"}},
        "spec": {
            "containers": [{"ports": [{"hostPort": 80}, {"containerPort": 81}]}],
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": {"app": "zk"}}, "topologyKey": "kubernetes.io/hostname"},
                {"labelSelector": {"matchLabels": {"app": "other"}}, "topologyKey": "kubernetes.io/hostname"}
            ]}}
        }
    });
    assert_eq!(observe::pod(&object).unwrap().apart.len(), 2);
}

#[test]
fn node_states_table() {
    let ready = |status: &str| json!({"conditions": [{"type": "Ready", "status": status, "lastTransitionTime": NOW.rfc3339()}]});
    let created = at(-5);
    let table = [
        (json!({}), ready("True"), None, NodeState::Ready),
        (json!({}), json!({}), None, NodeState::Booting { since: created }),
        (json!({}), ready("False"), Some(at(-9)), NodeState::Booting { since: at(-9) }),
        (json!({}), ready("Unknown"), None, NodeState::Lost { since: NOW }),
        (json!({"unschedulable": true}), ready("True"), None, NodeState::Draining),
    ];
    for (spec, status, boots, state) in table {
        let object = json!({
            "metadata": {"name": "n", "creationTimestamp": created.rfc3339()}, "spec": spec, "status": status
        });
        assert_eq!(observe::node(&object, boots).unwrap().state, state, "{object}");
    }
}
