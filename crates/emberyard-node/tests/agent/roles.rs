//! What the test's program does when it is executed again: the yard's processes.

use crate::scenes;
use emberyard_api::ServeConfig;
use emberyard_api::pki::Names;
use emberyard_cluster::Entropy;
use emberyard_model::{Bytes, Cpu, NodeName, Resources, Timestamp};
use emberyard_node::net::address::{NodeNumber, RELAY_PORT};
use emberyard_node::net::yard;
use emberyard_node::{AgentConfig, ServingIdentity};
use std::collections::BTreeMap;
use std::future::Future;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

pub fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64)
}

struct Random;

impl Entropy for Random {
    fn fill(&mut self, out: &mut [u8]) {
        std::fs::File::open("/dev/urandom").unwrap().read_exact(out).unwrap();
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// Plays a role if the words ask for one.
pub fn play(words: &[&str]) -> bool {
    match words {
        ["role-setup"] => _ = yard::setup(RELAY_PORT, yard::Redirect::WherePossible).unwrap(),
        ["role-attach", number, pid] => {
            let number = NodeNumber::new(number.parse().unwrap()).unwrap();
            yard::attach_node(number, pid.parse().unwrap()).unwrap();
        }
        ["role-api", dir] => api(Path::new(dir)),
        ["role-agent", dir, name, number] => agent(Path::new(dir), name, number.parse().unwrap()),
        ["role-scene", dir, name] => block_on(scenes::play(Path::new(dir), name)),
        _ => return false,
    }
    true
}

fn api(dir: &Path) {
    let inside = std::net::TcpListener::bind(("10.41.0.1", 6443)).unwrap();
    let controllers = emberyard_control::all(&emberyard_control::Settings {
        ca_pem: std::fs::read_to_string(dir.join("pki/ca.crt")).unwrap(),
        volumes_dir: dir.join("volumes").display().to_string(),
        catalog: emberyard_object::Catalog::builtin(),
    });
    let config = ServeConfig {
        pki: dir.join("pki"),
        journal: dir.join("journal"),
        journal_limit: std::sync::Arc::new(|| None),
        names: Names::default(),
        cluster: emberyard_cluster::Config::default(),
        listeners: vec![inside],
        controllers,
        clock: Arc::new(now),
        entropy: Box::new(Random),
        shutdown: CancellationToken::new(),
    };
    block_on(emberyard_api::serve(config)).unwrap();
}

fn agent(dir: &Path, name: &str, number: u8) {
    let own = dir.join("nodes").join(name);
    let config = AgentConfig {
        node_name: NodeName::new(name).unwrap(),
        number: NodeNumber::new(number).unwrap(),
        capacity: Resources { cpu: Cpu(4000), memory: Bytes(8 << 30), pods: 110 },
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        kubeconfig: own.join("kubeconfig"),
        network_kubeconfig: own.join("network-kubeconfig"),
        image_store: dir.join("images"),
        serving: ServingIdentity {
            certificate: own.join("serving.crt"),
            key: own.join("serving.key"),
            client_ca: own.join("ca.crt"),
        },
        mounts: BTreeMap::from([("/machine/usr".to_owned(), PathBuf::from("/usr"))]),
        dir: own,
        environment: BTreeMap::from([
            ("GIVEN".to_owned(), "by the node".to_owned()),
            ("Greeting".to_owned(), "no".to_owned()),
        ]),
        clock: Arc::new(now),
        shutdown: CancellationToken::new(),
    };
    block_on(emberyard_node::run(config)).unwrap();
}
