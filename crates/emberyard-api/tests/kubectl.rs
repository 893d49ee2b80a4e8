//! An unmodified kubectl against the served API. Its path is `EMBERYARD_TEST_KUBECTL`; without it the test is skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use emberyard_api::kubeconfig;
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use support::Served;
use support::kubelet::{kubelet, place};
use tokio::task::spawn_blocking;

struct Kubectl {
    program: PathBuf,
    home: PathBuf,
    /// What went wrong so far: one run tells everything.
    failures: RefCell<Vec<String>>,
}

impl Kubectl {
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(line.split_whitespace())
            .env("KUBECONFIG", self.home.join("kubeconfig"))
            .env("HOME", &self.home)
            .env("SHELL", "/bin/sh")
            .current_dir(&self.home);
        command
    }

    /// Runs and answers success and all output.
    fn run(&self, line: &str) -> (bool, String) {
        let output = self.command(line).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    fn check(&self, fine: bool, failure: impl FnOnce() -> String) {
        if !fine {
            self.failures.borrow_mut().push(failure());
        }
    }

    fn ok(&self, line: &str, wanted: &[&str]) -> String {
        let (success, text) = self.run(line);
        let lacks = wanted.iter().find(|part| !text.contains(**part));
        self.check(success && lacks.is_none(), || format!("kubectl {line} lacks {lacks:?}: {text}"));
        text
    }

    fn fails(&self, line: &str, wanted: &str) {
        let (success, text) = self.run(line);
        self.check(!success && text.contains(wanted), || format!("kubectl {line} lacks {wanted:?}: {text}"));
    }

    fn piped(&self, line: &str, input: &str, wanted: &str) {
        let mut child =
            self.command(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let fine = output.status.success() && text.contains(wanted);
        self.check(fine, || format!("kubectl {line} lacks {wanted:?}: {text}"));
    }
}

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
    kubectl.fails("port-forward placed 18080:80", "port-forward is not served yet");

    kubectl.ok("delete configmap applied made", &["deleted"]);
    kubectl.ok("explain pod.spec.containers", &["FIELDS:"]);
    kubectl.fails("get gadgets", "the server doesn't have a resource type");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_gets_along() {
    let Ok(program) = std::env::var("EMBERYARD_TEST_KUBECTL") else {
        eprintln!("skipped kubectl_gets_along: EMBERYARD_TEST_KUBECTL does not name a kubectl");
        return;
    };
    let served = Served::start().await;
    let mut admin = served.admin().await;
    let (port, _) = kubelet(&served).await;
    place(&mut admin, "placed", port, "10.42.1.5").await;
    let server = format!("https://{}", served.address);
    let config = kubeconfig::render("yard", &server, served.pki.authority.certificate(), &served.pki.admin);
    kubeconfig::write(&served.dir.join("kubeconfig"), &config).unwrap();
    let home = served.dir.clone();
    let failures = spawn_blocking(move || {
        let kubectl = Kubectl { program: program.into(), home, failures: RefCell::default() };
        smoke(&kubectl);
        kubectl.failures.into_inner()
    });
    let failures = failures.await.unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    served.stop().await.unwrap();
}
