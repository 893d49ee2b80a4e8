//! An API server in a folder of its own, an operator over it, and an administrator.

use crate::kubelet;
use emberyard_api::pki::{self, Names};
use emberyard_api::{ServeConfig, kubeconfig, serve};
use emberyard_client::Client;
use emberyard_cloud::Memory;
use emberyard_manifest::SessionSettings;
use emberyard_manifest::hdfs::HdfsSettings;
use emberyard_model::{Bytes, Cpu, Resources, Timestamp};
use emberyard_operator::{FleetConfig, OperatorConfig, run};
use emberyard_plan::{Policy, Shape};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::{CancellationToken, DropGuard};

pub struct World {
    pub admin: Client,
    pub operator: Client,
    pub provider: Arc<Memory>,
    pub shutdown: CancellationToken,
    policy: Policy,
    _end: DropGuard,
    folder: tempfile::TempDir,
}

fn now() -> Timestamp {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(passed.as_micros()).unwrap())
}

fn random(out: &mut [u8]) {
    use ring::rand::SecureRandom as _;
    ring::rand::SystemRandom::new().fill(out).unwrap();
}

/// Starts everything; the fleet has between `min` and `max` nodes of 4 CPUs.
pub async fn world(min: u32, max: u32) -> World {
    let world = without_operator(min, max).await;
    world.start(world.operator.clone());
    world
}

/// Starts everything but an operator.
pub async fn without_operator(min: u32, max: u32) -> World {
    let folder = tempfile::tempdir().unwrap();
    let shutdown = CancellationToken::new();
    let (admin, operator) = api(folder.path(), &shutdown).await;
    let provider = Arc::new(Memory::new(max));
    tokio::spawn(kubelet::play(admin.clone(), provider.clone()));
    let resources = Resources { cpu: Cpu(4000), memory: Bytes(16 << 30), pods: 110 };
    let shape =
        Shape { name: "local".to_owned(), allocatable: resources.into(), labels: BTreeMap::new(), taints: Vec::new() };
    let mut policy = Policy::of_one_shape(min, max, shape);
    policy.idle_for = Duration::from_secs(1);
    World { admin, operator, provider, policy, _end: shutdown.clone().drop_guard(), shutdown, folder }
}

async fn api(folder: &Path, shutdown: &CancellationToken) -> (Client, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let pki = pki::ensure(&folder.join("pki"), &Names::default(), now()).unwrap();
    let operator = pki.client("operator", "emberyard-operator", &["emberyard:operators"], now()).unwrap();
    let settings = emberyard_control::Settings {
        ca_pem: pki.authority.certificate().to_owned(),
        volumes_dir: folder.join("volumes").display().to_string(),
        catalog: emberyard_object::Catalog::builtin(),
    };
    let config = ServeConfig {
        pki: folder.join("pki"),
        journal: folder.join("journal"),
        journal_limit: std::sync::Arc::new(|| None),
        names: Names::default(),
        cluster: emberyard_cluster::Config::default(),
        listeners: vec![listener],
        controllers: emberyard_control::all(&settings),
        clock: Arc::new(now),
        entropy: Box::new(random),
        shutdown: shutdown.clone(),
    };
    tokio::spawn(serve(config));
    let mut clients = Vec::new();
    for (name, credentials) in [("admin", &pki.admin), ("operator", &operator)] {
        let file = folder.join(name);
        std::fs::write(&file, kubeconfig::render(name, &server, pki.authority.certificate(), credentials)).unwrap();
        clients.push(Client::from_kubeconfig(&file).await.unwrap());
    }
    let operator = clients.pop().unwrap();
    (clients.pop().unwrap(), operator)
}

/// Asks again until the answer is there; fails with `what` after five minutes: a busy machine is no fault.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(300), "never came: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl World {
    /// Starts an operator that speaks through this client.
    pub fn start(&self, client: Client) {
        let config = OperatorConfig {
            client,
            identity: "test".to_owned(),
            session: SessionSettings::new("http://127.0.0.1:8321"),
            hdfs: HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() },
            fleet: Some(FleetConfig { provider: self.provider.clone(), policy: self.policy.clone() }),
            clock: Arc::new(now),
            entropy: Arc::new(random),
            shutdown: self.shutdown.clone(),
        };
        tokio::spawn(async move { run(config).await.unwrap() });
    }

    /// A connection as an operator, for those who answer some of its questions themselves.
    pub async fn operator_connection(&self) -> kube::Client {
        let file = Kubeconfig::read_from(self.folder.path().join("operator")).unwrap();
        let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
        kube::Client::try_from(config).unwrap()
    }

    /// An object, when it is there.
    pub async fn object(&self, path: &str) -> Option<Value> {
        self.admin.find(path).await.ok().flatten()
    }

    /// Names of the nodes that the cluster knows.
    pub async fn nodes(&self) -> Vec<String> {
        let (nodes, _) = self.admin.list("/api/v1/nodes", &[]).await.unwrap();
        nodes.iter().map(|node| node["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Pods by phase.
    pub async fn phases(&self, selector: &str) -> BTreeMap<String, usize> {
        let (pods, _) =
            self.admin.list("/api/v1/namespaces/default/pods", &[("labelSelector", selector)]).await.unwrap();
        let mut phases = BTreeMap::new();
        for pod in pods {
            *phases.entry(pod["status"]["phase"].as_str().unwrap_or("").to_owned()).or_default() += 1;
        }
        phases
    }
}
