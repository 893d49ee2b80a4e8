//! An unmodified kubectl against the served API. Its path is `EMBERYARD_TEST_KUBECTL`; without it the test is skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use support::Served;
use support::kubectl::Kubectl;
use support::kubelet::{kubelet, place};
use tokio::task::spawn_blocking;

/// Ends with the test, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: {app: web}\nspec:\n  containers:\n  - name: main\n    image: none\n    ports: [{containerPort: 80}]\n";

fn map(value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: applied\ndata:\n  key: {value}\n")
}

fn smoke(kubectl: &Kubectl) {
    kubectl.ok("version", &["Server Version: v1.35"]);
    kubectl.ok("get namespaces", &["NAME", "STATUS", "default", "kube-system"]);
    kubectl.ok("get pods -n kube-system", &["No resources found in kube-system namespace."]);
    kubectl.ok("api-resources", &["pods", "networkpolicies", "services", "SHORTNAMES"]);
    // Bodies in protobuf.
    kubectl.ok("create configmap made --from-literal=a=b", &["configmap/made created"]);
    kubectl.ok("create namespace other", &["namespace/other created"]);
    kubectl.ok("create serviceaccount robot", &["serviceaccount/robot created"]);
    let token = kubectl.ok("create token robot", &["ey"]);
    kubectl.check(token.trim().split('.').count() == 3, || format!("no signed token: {token}"));
    kubectl.ok("auth can-i create pods", &["yes"]);
    kubectl.fails("auth can-i create pods --as system:serviceaccount:default:robot", "no");

    kubectl.piped("apply -f -", &map("one"), "configmap/applied created");
    kubectl.piped("apply -f -", &map("one"), "configmap/applied unchanged");
    kubectl.piped("apply -f -", &map("two"), "configmap/applied configured");
    kubectl.piped("apply --server-side --force-conflicts -f -", &map("three"), "configmap/applied serverside-applied");
    kubectl.ok("get configmap applied -o yaml", &["key: three"]);
    kubectl.ok("label configmap applied colour=red", &["configmap/applied labeled"]);
    kubectl.ok("get configmaps -l colour=red", &["applied"]);
    kubectl.ok("describe configmap applied", &["Name:         applied", "three"]);

    let mut watching = kubectl.command("get pods -w");
    let mut watching = Running(watching.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(watching.0.stdout.take().unwrap()).lines();
    kubectl.piped("create -f -", POD, "pod/web created");
    let first = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("web"))).unwrap().unwrap();
    kubectl.check(first.contains("Pending"), || format!("watched: {first}"));
    kubectl.ok("describe pod web", &["Name:             web", "Status:           Pending", "Image:"]);
    kubectl.ok("get pods -o wide", &["NODE", "web", "Pending"]);
    let patch = r#"{"status":{"conditions":[{"type":"Ready","status":"True"}]}}"#;
    kubectl.ok(&format!("patch pod web --subresource=status --type=merge -p {patch}"), &["pod/web patched"]);
    kubectl.ok("wait --for=condition=Ready pod/web --timeout=10s", &["pod/web condition met"]);
    let mut waiting = kubectl.command("wait --for=delete pod/web --timeout=20s");
    let mut waiting = Running(waiting.spawn().unwrap());
    kubectl.ok("delete pod web", &["pod \"web\" deleted"]);
    let waited = waiting.0.wait().unwrap().success();
    kubectl.check(waited, || "kubectl wait --for=delete".to_owned());
    kubectl.fails("get pod web", "Error from server (NotFound): pods \"web\" not found");

    // On the node of the test's own kubelet.
    kubectl.ok("logs placed", &["one\ntwo\n"]);
    kubectl.ok("logs -f placed --tail=1", &["two"]);
    kubectl.fails("exec placed -- anything", "command terminated with exit code 7");
    kubectl.fails("exec placed -- anything", "said");

    kubectl.ok("delete configmap applied made", &["deleted"]);
    kubectl.ok("explain pod.spec.containers", &["FIELDS:"]);
    kubectl.fails("get gadgets", "the server doesn't have a resource type");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_gets_along() {
    let served = Served::start().await;
    let Some(kubectl) = Kubectl::new(&served) else { return };
    let mut admin = served.admin().await;
    let (port, _) = kubelet(&served).await;
    place(&mut admin, "placed", port, "10.42.1.5").await;
    let failures = spawn_blocking(move || {
        smoke(&kubectl);
        kubectl.failures.into_inner()
    });
    let failures = failures.await.unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    served.stop().await.unwrap();
}
