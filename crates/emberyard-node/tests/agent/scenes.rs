//! What is played: each scene asks the API server for something and looks at what it says and what the logs hold.

use crate::yard::Yard;
use emberyard_client::{Client, ContentKind, path};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// Plays all; `true` when all went well.
pub fn run() -> bool {
    let started = Instant::now();
    let outcome = std::panic::catch_unwind(|| {
        let mut yard = Yard::new();
        yard.scene("ends");
        yard.scene("whole");
        yard.scene("give-back");
        yard.scene("forward");
        yard.scene("greedy");
        yard.scene("policies");
        yard.scene("begin");
        yard.replace_agent();
        yard.scene("go-on");
        yard.scene("doomed");
        yard.kill_node();
        yard.scene("lost");
    });
    let uid = rustix::process::geteuid().as_raw();
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    println!("uid {uid} agent ... {verdict} ({} ms)", started.elapsed().as_millis());
    outcome.is_ok()
}

/// Plays one, inside the yard.
pub async fn play(dir: &Path, name: &str) {
    let world = World { client: Client::from_kubeconfig(&dir.join("admin")).await.unwrap() };
    world
        .until("a ready node", "/api/v1/nodes/node-1", |n| {
            n["status"]["conditions"]
                .as_array()
                .is_some_and(|c| c.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
        })
        .await;
    let account = path("", "v1", "default", "serviceaccounts", "default");
    world.until("a service account", &account, |_| true).await;
    match name {
        "ends" => ends(&world).await,
        "whole" => {
            settings(&world).await;
            whole(&world).await;
        }
        "give-back" => give_back(&world, dir).await,
        "forward" => crate::forward::forward(&world, dir).await,
        "greedy" => crate::greed::greedy(&world).await,
        "policies" => crate::policies::policies(&world).await,
        "begin" => begin(&world).await,
        "go-on" => go_on(&world).await,
        "doomed" => {
            world.pod("doomed", "exec sleep 1000", json!({})).await;
            world.phase("doomed", "Running").await;
        }
        "lost" => lost(&world).await,
        other => panic!("no scene {other}"),
    }
}

pub struct World {
    pub client: Client,
}

pub fn pod_path(name: &str) -> String {
    path("", "v1", "default", "pods", name)
}

impl World {
    async fn create(&self, resource: &str, object: Value) {
        let mut object = object;
        object["apiVersion"] = json!("v1");
        self.client.create(&path("", "v1", "default", resource, ""), &object).await.unwrap();
    }

    /// A pod of one container that runs a script with the machine's programs.
    pub async fn pod(&self, name: &str, script: &str, more: Value) {
        let mut spec = json!({"restartPolicy": "Never", "containers": [{"name": "a", "image": "tiny",
            "command": ["sh", "-c", script], "volumeMounts": [{"name": "usr", "mountPath": "/usr", "readOnly": true}]}],
            "volumes": [{"name": "usr", "hostPath": {"path": "/machine/usr"}}]});
        merge(&mut spec, &more);
        self.create("pods", json!({"kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}))
            .await;
    }

    pub async fn until(&self, what: &str, path: &str, good: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        let mut last = Value::Null;
        while started.elapsed() < Duration::from_secs(30) {
            if let Ok(Some(object)) = self.client.find(path).await {
                if good(&object) {
                    return object;
                }
                last = object;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{what} did not come: {last:#}");
    }

    pub async fn phase(&self, name: &str, phase: &str) -> Value {
        self.until(phase, &pod_path(name), |p| p["status"]["phase"] == phase).await["status"].take()
    }

    async fn gone(&self, name: &str) {
        let started = Instant::now();
        while self.client.find(&pod_path(name)).await.unwrap().is_some() {
            assert!(started.elapsed() < Duration::from_secs(30), "{name} does not go");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn log(&self, name: &str) -> String {
        let bytes = self.client.get_bytes(&format!("{}/log", pod_path(name)), &[]).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}

/// Objects are merged, lists of objects are joined (the first container is merged), anything else is replaced.
fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(more)) if into.first().is_some_and(|f| f["image"].is_string()) => {
            merge(&mut into[0], &more[0]);
        }
        (Value::Array(into), Value::Array(more)) if into.first().is_some_and(Value::is_object) => {
            into.extend(more.iter().cloned());
        }
        (into, more) => *into = more.clone(),
    }
}

/// Ways to end: well, badly, without a program, without an image, deleted with grace.
async fn ends(world: &World) {
    world.pod("well", "echo done", json!({})).await;
    world.pod("badly", "echo out; exit 7", json!({})).await;
    world.pod("no-program", "", json!({"containers": [{"command": ["/no/such"]}]})).await;
    world.pod("no-image", "", json!({"containers": [{"image": "nosuch:1"}]})).await;
    world.pod("polite", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", json!({})).await;
    world.phase("well", "Succeeded").await;
    let status = world.phase("badly", "Failed").await;
    assert_eq!(status["containerStatuses"][0]["state"]["terminated"]["exitCode"], 7);
    assert_eq!(world.log("badly").await, "out\n");
    let status = world.phase("no-program", "Failed").await;
    let state = &status["containerStatuses"][0]["state"]["terminated"];
    assert_eq!((state["exitCode"].as_i64(), state["reason"].as_str()), (Some(127), Some("ContainerCannotRun")));
    world
        .until("a word on the image", &pod_path("no-image"), |p| {
            p["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ErrImagePull"
        })
        .await;
    world.phase("polite", "Running").await;
    let started = Instant::now();
    for name in ["well", "badly", "no-program", "no-image", "polite"] {
        world.client.delete(&pod_path(name)).await.unwrap();
    }
    for name in ["well", "badly", "no-program", "no-image", "polite"] {
        world.gone(name).await;
    }
    assert!(started.elapsed() < Duration::from_secs(20), "SIGTERM was not heard");
}

/// A claim that is deleted takes its folder along, whatever a pod has put there, and nothing that a link leads to.
async fn give_back(world: &World, dir: &Path) {
    let claim = json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": {
        "storageClassName": "local", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    world.create("persistentvolumeclaims", claim).await;
    let kept = dir.join("kept");
    std::fs::write(&kept, "kept").unwrap();
    let script = format!(
        "mkdir -p /data/a/sealed; echo x > /data/a/sealed/file; ln -s {} /data/out; ln -s {} /data/link; chmod 0 /data/a/sealed",
        dir.display(),
        kept.display()
    );
    let volume = json!({"containers": [{"volumeMounts": [{"name": "d", "mountPath": "/data"}]}],
        "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]});
    world.pod("writer", &script, volume).await;
    world.phase("writer", "Succeeded").await;
    let path_of = |name: &str| path("", "v1", "default", "persistentvolumeclaims", name);
    let claim = world.until("a bound claim", &path_of("data"), |claim| claim["status"]["phase"] == "Bound").await;
    let folder = dir.join("volumes").join(claim["spec"]["volumeName"].as_str().unwrap());
    assert!(folder.join("a/sealed").exists());
    world.client.delete(&path_of("data")).await.unwrap();
    world.client.delete(&pod_path("writer")).await.unwrap();
    let started = Instant::now();
    loop {
        let (volumes, _) = world.client.list("/api/v1/persistentvolumes", &[]).await.unwrap();
        let left = std::fs::read_dir(dir.join("volumes")).unwrap().count();
        if volumes.is_empty() && left == 0 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{left} folders are left, volumes: {volumes:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "kept");
}

/// Everything a pod is given: environment, files, names, volumes, probes, an init container; a ConfigMap that comes late.
/// A cut link that comes back is used soon, where the kernel can be told so; what the pod itself says comes first.
async fn settings(world: &World) {
    let files = ["tcp_rto_max_ms", "tcp_retries2", "tcp_syn_retries"].map(|name| format!("/proc/sys/net/ipv4/{name}"));
    if !Path::new(&files[0]).exists() {
        println!("SKIPPED settings: this kernel has no {}", files[0]);
        return;
    }
    let own = json!({"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_syn_retries", "value": "7"}]}});
    world.pod("settings", &format!("cat {}", files.join(" ")), own).await;
    world.phase("settings", "Succeeded").await;
    assert_eq!(world.log("settings").await, "2000\n255\n7\n");
}

async fn whole(world: &World) {
    world
        .create(
            "services",
            json!({"kind": "Service", "metadata": {"name": "head"}, "spec": {
        "clusterIP": "None", "publishNotReadyAddresses": true, "selector": {"app": "whole"}, "ports": [{"port": 80}]}}),
        )
        .await;
    let script = "cat /conf/k /shared/f; echo $GREETING $IP $FROM_IMAGE $GIVEN ${Greeting:-unset}; id -u; hostname; \
        until getent hosts whole.head.default.svc.cluster.local; do sleep 0.05; done; getent hosts kubernetes.default; \
        getent hosts $IP; wc -c < /var/run/secrets/kubernetes.io/serviceaccount/namespace; touch /shared/ready; sleep 100";
    let usr = json!({"name": "usr", "mountPath": "/usr", "readOnly": true});
    world
        .pod(
            "whole",
            script,
            json!({
                "hostname": "whole", "subdomain": "head",
                "initContainers": [{"name": "init", "image": "tiny", "command": ["sh", "-c", "echo init > /shared/f"],
                    "volumeMounts": [usr, {"name": "e", "mountPath": "/shared"}]}],
                "containers": [{
                    "env": [{"name": "GREETING", "valueFrom": {"configMapKeyRef": {"name": "late", "key": "k"}}},
                        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
                    "readinessProbe": {"exec": {"command": ["test", "-e", "/shared/ready"]}, "periodSeconds": 1},
                    "volumeMounts": [{"name": "e", "mountPath": "/shared"}, {"name": "c", "mountPath": "/conf"}]}],
                "volumes": [{"name": "e", "emptyDir": {}}, {"name": "c", "configMap": {"name": "late"}}],
            }),
        )
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    world
        .create("configmaps", json!({"kind": "ConfigMap", "metadata": {"name": "late"}, "data": {"k": "hello "}}))
        .await;
    let pod = world
        .until("a ready pod", &pod_path("whole"), |p| {
            p["status"]["conditions"]
                .as_array()
                .is_some_and(|c| c.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
        })
        .await;
    let ip = pod["status"]["podIP"].as_str().unwrap();
    assert_eq!(ip, pod["status"]["podIPs"][0]["ip"]);
    let log = world.log("whole").await;
    let words: Vec<&str> = log.split_whitespace().collect();
    let full = "whole.head.default.svc.cluster.local";
    let expected = [
        "hello",
        "init",
        "hello",
        ip,
        "yes",
        "by",
        "the",
        "node",
        "unset",
        "1000",
        "whole",
        ip,
        full,
        "whole",
        "10.96.0.1",
        "kubernetes.default.svc.cluster.local",
        ip,
        full,
        "whole",
        "7",
    ];
    assert_eq!(words, expected, "{log}");
    world.client.delete(&format!("{}?gracePeriodSeconds=0", pod_path("whole"))).await.unwrap();
    world.gone("whole").await;
}

/// Pods that live through the agent's death: one that runs on, one that ends meanwhile.
async fn begin(world: &World) {
    world.pod("stays", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done", json!({})).await;
    world.pod("leaves", "sleep 1; exit 5", json!({})).await;
    world.phase("stays", "Running").await;
    world.phase("leaves", "Running").await;
}

/// A pod that dies with its node did not just end: the agent leaves it to the cluster to say so.
async fn lost(world: &World) {
    let fenced = json!({"metadata": {"annotations": {"emberyard.dev/fenced": "killed"}}});
    world.client.patch("/api/v1/nodes/node-1", &fenced, ContentKind::MergePatch).await.unwrap();
    let status = world.phase("doomed", "Failed").await;
    assert_eq!(status["reason"], "NodeLost", "{status:#}");
}

async fn go_on(world: &World) {
    let status = world.phase("leaves", "Failed").await;
    assert_eq!(status["containerStatuses"][0]["state"]["terminated"]["exitCode"], 5);
    let status = world.phase("stays", "Running").await;
    assert_eq!(status["containerStatuses"][0]["restartCount"], 0);
    let before = world.log("stays").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = world.log("stays").await;
    assert!(after.len() > before.len() && after.starts_with("0\n1\n"), "{after}");
    let target = format!("{}?gracePeriodSeconds=0", pod_path("stays"));
    world.client.delete(&target).await.unwrap();
    world.gone("stays").await;
}
