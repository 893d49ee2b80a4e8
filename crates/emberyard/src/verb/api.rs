//! `api`: the embedded API server with scheduler and controllers, on sockets that the keeper opened.

use crate::error::Failure;
use crate::machine;
use crate::yard::clock::clock;
use crate::yard::folder::write_private;
use crate::yard::{Settings, YardDir};
use emberyard_api::pki::Names;
use emberyard_api::{JournalLimit, ServeConfig};
use emberyard_model::Explained;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};
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
        journal_limit: journal_limit(&dir),
        names: Names::default(),
        cluster: emberyard_cluster::Config::default(),
        listeners,
        controllers,
        clock: Arc::new(clock(&dir)),
        entropy: Box::new(machine::fill),
        shutdown,
    };
    let served = emberyard_api::serve(config).await.map_err(|error| Failure::Api(error.explain()));
    if let Err(failure) = &served {
        // For the keeper, which tells it to whoever waits for the start.
        let _ = write_private(&dir.api_failure(), failure.to_string().as_bytes());
    }
    served
}

/// What tells one yard.json from its successor: inode and time of change.
type Mark = (u64, i64, i64);

/// `journalLimit` of yard.json as it is at each write: the file is read again when it was replaced.
fn journal_limit(dir: &YardDir) -> JournalLimit {
    let dir = dir.clone();
    let known: Mutex<(Option<Mark>, Option<u64>)> = Mutex::new((None, None));
    Arc::new(move || {
        let mark = std::fs::metadata(dir.settings()).ok().map(|meta| (meta.ino(), meta.mtime(), meta.mtime_nsec()));
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != mark {
            let settings = Settings::load(&dir).ok().flatten();
            let limit = settings.and_then(|settings| settings.journal_limit);
            *known = (mark, limit.map(|limit| limit.units().unsigned_abs()));
        }
        known.1
    })
}
