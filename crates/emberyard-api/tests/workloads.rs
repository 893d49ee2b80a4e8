//! Controllers of many pods, asked by an unmodified kubectl; nodes and what runs on them are played.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use emberyard_control::{Settings, all};
use emberyard_object::Catalog;
use serde_json::{Value, json};
use std::time::Duration;
use support::kubectl::Kubectl;
use support::{Client, PODS, Served};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Controllers that the test does without: the nodes it plays send no leases, and it chooses among them itself.
const LEFT_OUT: [&str; 2] = ["node-controller", "kube-scheduler"];

const SET: &str = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: web\nspec:\n  replicas: 2\n  serviceName: web\n  \
                   selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      \
                   terminationGracePeriodSeconds: 1\n      containers: [{name: main, image: 'i:1'}]\n";

/// Binds pods to a node that takes them, lets them run (or end, where they are to), and ends those that are to go.
async fn play(admin: &mut Client) {
    let (_, nodes) = admin.get("/api/v1/nodes").await;
    let free: Vec<String> = nodes["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["spec"]["unschedulable"] != true)
        .map(|node| node["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    let (_, pods) = admin.get(PODS).await;
    for pod in pods["items"].as_array().unwrap() {
        let name = pod["metadata"]["name"].as_str().unwrap();
        let path = format!("{PODS}/{name}");
        if pod["metadata"]["deletionTimestamp"].is_string() {
            let now = json!({"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}});
            admin.json("DELETE", &path, Some(&now)).await;
        } else if pod["spec"]["nodeName"].is_null() {
            if let Some(node) = free.first() {
                let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
                    "target": {"kind": "Node", "name": node}});
                admin.post(&format!("{path}/binding"), &binding).await;
            }
        } else if pod["status"]["phase"] == "Pending" {
            admin.json("PATCH", &format!("{path}/status"), Some(&status(pod))).await;
        }
    }
}

fn status(pod: &Value) -> Value {
    if pod["spec"]["restartPolicy"] == "Never" {
        return json!({"status": {"phase": "Succeeded"}});
    }
    let since = support::now().rfc3339();
    json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": since}]}})
}

fn stateful_set(kubectl: &Kubectl) {
    kubectl.piped("apply -f -", SET, "statefulset.apps/web created");
    let done = |revision: &str| {
        let said = kubectl.ok("rollout status statefulset/web --timeout=60s", &[]);
        kubectl
            .check(said.contains("rolling update complete") || said.contains("partitioned roll out complete"), || {
                format!("{revision}: {said}")
            });
    };
    done("first");
    kubectl.ok("get statefulset web", &["READY", "2/2"]);
    kubectl.ok("get pods -l app=web", &["web-0", "web-1", "Running"]);
    kubectl.ok("scale statefulset web --replicas=3", &["statefulset.apps/web scaled"]);
    done("scaled");
    kubectl.ok("get pod web-2", &["Running"]);
    kubectl.ok("set image statefulset/web main=i:2", &["image updated"]);
    done("updated");
    let image = "get pods -l app=web -o jsonpath={.items[*].spec.containers[0].image}";
    kubectl.ok(image, &["i:2 i:2 i:2"]);
    kubectl.ok("rollout history statefulset/web", &["REVISION", "1", "2"]);
    kubectl.ok("rollout undo statefulset/web", &["statefulset.apps/web rolled back"]);
    done("undone");
    kubectl.ok(image, &["i:1 i:1 i:1"]);
    kubectl.ok("get controllerrevisions", &["statefulset.apps/web", "3"]);
    kubectl.ok("rollout restart statefulset/web", &["restarted"]);
    done("restarted");
    kubectl.fails("patch statefulset web -p {\"spec\":{\"serviceName\":\"other\"}}", "are forbidden");
}

fn drain(kubectl: &Kubectl) {
    kubectl.ok("create poddisruptionbudget web --selector=app=web --min-available=3", &["created"]);
    kubectl.ok("wait --for=jsonpath={.status.currentHealthy}=3 pdb/web --timeout=20s", &["condition met"]);
    kubectl.ok("get pdb", &["MIN AVAILABLE", "web", "N/A"]);
    kubectl.fails("drain n1 --timeout=2s", "Cannot evict pod as it would violate the pod's disruption budget.");
    kubectl.ok("get pods -l app=web -o jsonpath={.items[*].spec.nodeName}", &["n1 n1 n1"]);
    kubectl.ok("patch pdb web --type=merge -p {\"spec\":{\"minAvailable\":2}}", &["patched"]);
    kubectl.ok("drain n1 --timeout=120s", &["evicting pod default/web-0", "node/n1 drained"]);
    kubectl.ok("rollout status statefulset/web --timeout=60s", &[]);
    kubectl.ok("get pods -l app=web -o jsonpath={.items[*].spec.nodeName}", &["n2 n2 n2"]);
    kubectl.ok("uncordon n1", &["uncordoned"]);
}

fn deployment(kubectl: &Kubectl) {
    kubectl.ok("create deployment site --image=i:1 --replicas=3", &["deployment.apps/site created"]);
    let done = || kubectl.ok("rollout status deployment/site --timeout=60s", &["successfully rolled out"]);
    done();
    kubectl.ok("get deployment site", &["UP-TO-DATE", "3/3"]);
    kubectl.ok("set image deployment/site i=i:2", &["image updated"]);
    done();
    kubectl.ok("rollout history deployment/site", &["1", "2"]);
    kubectl.ok("rollout undo deployment/site", &["rolled back"]);
    done();
    kubectl.ok("get deployment site -o jsonpath={.spec.template.spec.containers[0].image}", &["i:1"]);
    kubectl.ok("rollout pause deployment/site", &["paused"]);
    kubectl.ok("rollout resume deployment/site", &["resumed"]);
    kubectl.ok("rollout restart deployment/site", &["restarted"]);
    done();
    kubectl.ok("scale deployment site --replicas=1", &["scaled"]);
    kubectl.ok("wait --for=jsonpath={.status.replicas}=1 deployment/site --timeout=20s", &["condition met"]);
    kubectl.ok("get replicasets -l app=site", &["DESIRED", "site-"]);
    kubectl.ok("wait --for=condition=Available deployment/site --timeout=20s", &["condition met"]);
    kubectl.ok("delete deployment site", &["deleted"]);
}

fn job(kubectl: &Kubectl) {
    kubectl.ok("create job sum --image=i:1", &["job.batch/sum created"]);
    kubectl.ok("wait --for=condition=Complete job/sum --timeout=20s", &["condition met"]);
    kubectl.ok("get jobs", &["COMPLETIONS", "Complete", "1/1"]);
    kubectl.ok("describe job sum", &["1 Succeeded"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_rolls_scales_and_drains() {
    let settings = Settings { ca_pem: String::new(), volumes_dir: String::new(), catalog: Catalog::builtin() };
    let controllers =
        all(&settings).into_iter().filter(|one| !LEFT_OUT.contains(&one.name()) && one.name() != "default-scheduler");
    let served = Served::with(|config| config.controllers.extend(controllers)).await;
    let Some(kubectl) = Kubectl::new(&served) else { return };
    let mut admin = served.admin().await;
    for name in ["n1", "n2"] {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
        assert_eq!(admin.post("/api/v1/nodes", &node).await.0, 201);
    }
    let playing = tokio::spawn(async move {
        loop {
            play(&mut admin).await;
            sleep(Duration::from_millis(30)).await;
        }
    });
    let failures = spawn_blocking(move || {
        stateful_set(&kubectl);
        drain(&kubectl);
        deployment(&kubectl);
        job(&kubectl);
        kubectl.failures.into_inner()
    });
    let failures = failures.await.unwrap();
    playing.abort();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    served.stop().await.unwrap();
}
