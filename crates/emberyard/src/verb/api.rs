//! `api`: the embedded API server with scheduler and controllers, on sockets that the keeper opened.

use crate::error::Failure;
use crate::machine;
use crate::yard::YardDir;
use emberyard_api::ServeConfig;
use emberyard_api::pki::Names;
use emberyard_model::Explained;
use std::net::TcpListener;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The machine's side and the yard's.
const SOCKETS: i32 = 2;

/// Runs until told to stop.
pub async fn run(dir: YardDir) -> Result<(), Failure> {
    crate::verb::keeper::log();
    let listeners = machine::inherited(SOCKETS)?.into_iter().map(TcpListener::from).collect();
    let shutdown = CancellationToken::new();
    machine::cancel_on_terminate(shutdown.clone())?;
    let authority = std::fs::read_to_string(dir.pki().join("ca.crt"))
        .map_err(|source| Failure::Folder { path: dir.pki().join("ca.crt"), source })?;
    let controllers = emberyard_control::all(&emberyard_control::Settings {
        ca_pem: authority,
        volumes_dir: dir.volumes().display().to_string(),
        catalog: emberyard_object::Catalog::builtin(),
    });
    let config = ServeConfig {
        pki: dir.pki(),
        journal: dir.journal(),
        names: Names::default(),
        cluster: emberyard_cluster::Config::default(),
        listeners,
        controllers,
        clock: Arc::new(machine::now),
        entropy: Box::new(machine::fill),
        shutdown,
    };
    emberyard_api::serve(config).await.map_err(|error| Failure::Api(error.explain()))
}
