//! The operator before a real API server (kube-apiserver with etcd, `cargo xtask judge`): what it writes for an HDFS is taken, and
//! what can't be is refused there, too.

// A test says what went wrong by panicking; clippy knows tests by their attribute only, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emberyard_api::kubeconfig;
use emberyard_api::pki::{self, Names};
use emberyard_client::{Client, ContentKind, path};
use emberyard_manifest::SessionSettings;
use emberyard_manifest::hdfs::HdfsSettings;
use emberyard_model::Timestamp;
use emberyard_operator::{OperatorConfig, run};
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// Names the folder with the programs `etcd` and `kube-apiserver`.
const PROGRAMS: &str = "EMBERYARD_TEST_REAL_API";
const HDFS: &str = "/apis/emberyard.dev/v1alpha1/namespaces/default/hdfsclusters";

fn now() -> Timestamp {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(passed.as_micros()).unwrap())
}

fn random(out: &mut [u8]) {
    use ring::rand::SecureRandom as _;
    ring::rand::SystemRandom::new().fill(out).unwrap();
}

fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A real API server with nothing in it, as long as the value lives.
struct Real {
    admin: Client,
    children: Vec<Child>,
    folder: tempfile::TempDir,
}

impl Drop for Real {
    fn drop(&mut self) {
        for child in &mut self.children {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Real {
    async fn start(programs: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (store, peers, secure) = (port(), port(), port());
        let (store, peers) = (format!("http://127.0.0.1:{store}"), format!("http://127.0.0.1:{peers}"));
        let begin = |program: &str, flags: &[String]| {
            let log = std::fs::File::create(at(program)).unwrap();
            let mut command = Command::new(programs.join(program));
            command.args(flags).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
        };
        let etcd = begin(
            "etcd",
            &[
                format!("--data-dir={}", at("data").display()),
                format!("--listen-client-urls={store}"),
                format!("--advertise-client-urls={store}"),
                format!("--listen-peer-urls={peers}"),
                format!("--initial-advertise-peer-urls={peers}"),
                format!("--initial-cluster=default={peers}"),
                "--unsafe-no-fsync".to_owned(),
            ],
        );
        let pki = pki::ensure(&at("pki"), &Names::default(), now()).unwrap();
        let authority = pki.authority.certificate();
        let file = |name: &str, text: &str| {
            std::fs::write(at(name), text).unwrap();
            at(name).display().to_string()
        };
        let (certificate, key) = (file("serving.crt", &pki.serving.certificate), file("serving.key", &pki.serving.key));
        let server = begin(
            "kube-apiserver",
            &[
                format!("--etcd-servers={store}"),
                "--bind-address=127.0.0.1".to_owned(),
                format!("--secure-port={secure}"),
                "--advertise-address=127.0.0.1".to_owned(),
                "--endpoint-reconciler-type=none".to_owned(),
                format!("--tls-cert-file={certificate}"),
                format!("--tls-private-key-file={key}"),
                format!("--client-ca-file={}", file("ca.crt", authority)),
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
                // Accounts are nobody's business here: any pair of keys will do.
                format!("--service-account-key-file={certificate}"),
                format!("--service-account-signing-key-file={key}"),
                "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
                "--authorization-mode=Node,RBAC".to_owned(),
            ],
        );
        let config = kubeconfig::render("admin", &format!("https://127.0.0.1:{secure}"), authority, &pki.admin);
        let config = PathBuf::from(file("admin", &config));
        let admin = Client::from_kubeconfig(&config).await.unwrap();
        let mut real = Self { admin, children: vec![etcd, server], folder };
        let log = real.folder.path().join("kube-apiserver");
        let said = || std::fs::read_to_string(&log).unwrap();
        let started = Instant::now();
        while let Err(error) = real.admin.get_bytes("/readyz", &[]).await {
            let ended = real.children.iter_mut().any(|child| child.try_wait().unwrap().is_some());
            assert!(!ended && started.elapsed() < Duration::from_secs(60), "it is not ready: {error}\n{}", said());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let found = async || real.admin.find("/api/v1/namespaces/default").await.is_ok_and(|found| found.is_some());
        until("a namespace", found).await;
        real
    }

    /// How many objects of a kind are of an HDFS.
    async fn count(&self, group: &str, resource: &str, hdfs: &str) -> usize {
        let selector = format!("emberyard.dev/hdfs={hdfs}");
        let listed =
            self.admin.list(&path(group, "v1", "default", resource, ""), &[("labelSelector", &selector)]).await;
        listed.unwrap().0.len()
    }

    async fn refuses(&self, name: &str, spec: Value, why: &str) {
        let error = self.admin.create(HDFS, &hdfs(name, spec)).await.unwrap_err();
        assert!(error.status == 422 && error.message.contains(why), "{name}: {error}");
    }
}

async fn until(what: &str, mut good: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !good().await {
        assert!(started.elapsed() < Duration::from_secs(120), "never came: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn hdfs(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "emberyard.dev/v1alpha1", "kind": "HdfsCluster", "metadata": {"name": name}, "spec": spec})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_api_server_takes_what_an_hdfs_consists_of() {
    let Some(programs) = std::env::var_os(PROGRAMS).map(PathBuf::from) else {
        // Past the test harness, which keeps what a good test prints to itself.
        let said = format!("{PROGRAMS} is not set; `cargo xtask judge` sets it");
        drop(writeln!(std::io::stderr(), "SKIPPED a_real_api_server_takes_what_an_hdfs_consists_of: {said}"));
        return;
    };
    let real = Real::start(&programs).await;
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "spec": {"podCIDR": "10.42.1.0/24"}});
    real.admin.create("/api/v1/nodes", &node).await.unwrap();
    let shutdown = CancellationToken::new();
    let config = OperatorConfig {
        client: real.admin.clone(),
        identity: "judged".to_owned(),
        session: SessionSettings::new("http://127.0.0.1:8321"),
        hdfs: HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() },
        fleet: None,
        clock: Arc::new(now),
        entropy: Arc::new(random),
        shutdown: shutdown.clone(),
    };
    let operator = tokio::spawn(run(config));
    until("the definition is served", async || real.admin.list(HDFS, &[]).await.is_ok()).await;

    let (whole, small) = (json!({}), json!({"nameNodes": 1, "dataNodes": 3, "disks": 2}));
    let large = json!({"dataNodes": 6, "disks": 3, "racks": "Zone", "replication": 2, "clientNamespaces": ["other"],
        "storage": {"dataNode": "2Gi"}});
    for (name, spec) in [("whole", whole), ("small", small), ("large", large)] {
        real.admin.create(HDFS, &hdfs(name, spec)).await.unwrap();
    }
    for (name, sets, maps) in [("whole", 4, 2), ("small", 2, 2), ("large", 4, 3)] {
        let wanted = [
            ("apps", "statefulsets", sets),
            ("apps", "deployments", 1),
            ("", "services", sets),
            // One for DataNodes, one for all others.
            ("policy", "poddisruptionbudgets", 2),
            ("networking.k8s.io", "networkpolicies", 1),
            ("", "configmaps", maps),
        ];
        for (group, resource, count) in wanted {
            until(&format!("{count} {resource} of {name}"), async || real.count(group, resource, name).await == count)
                .await;
        }
        // The last thing that is written of a round.
        let status = async || real.admin.get(&format!("{HDFS}/{name}"), &[]).await.unwrap()["status"].clone();
        until("a status", async || status().await["phase"] == "Pending").await;
    }

    real.refuses("few", json!({"replication": 5}), "EY-HDF-003").await;
    real.refuses("1st", json!({}), "EY-HDF-001").await;
    real.refuses("tiny", json!({"storage": {"dataNode": "1Mi"}}), "EY-HDF-004").await;
    real.refuses("clients", json!({"clientNamespaces": ["No"]}), "clientNamespaces").await;
    for change in [json!({"disks": 3}), json!({"nameNodes": 2}), json!({"storage": {"nameNode": "1Gi"}})] {
        let patch = json!({"spec": change});
        let error = real.admin.patch(&format!("{HDFS}/small"), &patch, ContentKind::MergePatch).await.unwrap_err();
        assert!(error.message.contains("EY-HDF-005"), "{change}: {error}");
    }
    shutdown.cancel();
    operator.await.unwrap().unwrap();
}
