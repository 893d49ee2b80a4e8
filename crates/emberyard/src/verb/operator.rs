//! `operator`: notebooks, fleet and gateway, through a Kubernetes client.

use crate::error::Failure;
use crate::launcher::{Keeper, SHAPE, resources};
use crate::machine;
use crate::yard::clock::clock;
use crate::yard::{Settings, YardDir, outside};
use emberyard_client::Client;
use emberyard_cloud::Local;
use emberyard_front::GatewayConfig;
use emberyard_manifest::SessionSettings;
use emberyard_manifest::hdfs::HdfsSettings;
use emberyard_model::Explained;
use emberyard_operator::{FleetConfig, OperatorConfig};
use emberyard_plan::{Policy, Shape};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Runs until told to stop.
pub async fn run(dir: YardDir) -> Result<(), Failure> {
    crate::verb::keeper::log();
    let settings = Settings::load(&dir)?.ok_or_else(|| Failure::NoYard(dir.path().to_path_buf()))?;
    let listener = machine::inherited(1)?.into_iter().map(TcpListener::from).next();
    let listener = listener.ok_or_else(|| Failure::Keeper("it handed over no socket".to_owned()))?;
    let shutdown = CancellationToken::new();
    machine::cancel_on_terminate(shutdown.clone())?;
    let client =
        Client::from_kubeconfig(&dir.operator_kubeconfig()).await.map_err(|error| Failure::Api(error.explain()))?;
    let shape = Shape {
        name: SHAPE.to_owned(),
        allocatable: resources(&settings.shape()).into(),
        labels: BTreeMap::new(),
        taints: Vec::new(),
    };
    let fleet = FleetConfig {
        provider: Arc::new(Local::new(Keeper { socket: dir.keeper_socket() })),
        policy: Policy::of_one_shape(settings.fleet.min, settings.fleet.max, shape),
    };
    let operator = OperatorConfig {
        client: client.clone(),
        identity: format!("yard-{}", settings.id),
        session: SessionSettings {
            sizes: settings.sizes,
            owner: settings.owner.clone(),
            outside: outside::read(&dir),
            ..SessionSettings::new(format!("http://127.0.0.1:{}", settings.gateway_port))
        },
        hdfs: HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() },
        fleet: Some(fleet),
        clock: Arc::new(clock(&dir)),
        entropy: Arc::new(machine::fill),
        shutdown: shutdown.clone(),
    };
    let mut random = [0; 24];
    machine::fill(&mut random);
    let gateway = GatewayConfig { listener, client, random, hosts: Vec::new(), shutdown };
    let (operator, gateway) = tokio::join!(emberyard_operator::run(operator), emberyard_front::serve(gateway));
    operator.map_err(|error| Failure::Api(error.explain()))?;
    gateway.map_err(|error| Failure::Api(error.explain()))
}
