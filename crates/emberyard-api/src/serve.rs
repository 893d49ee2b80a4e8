//! The whole server, from its folders to its end.

use crate::config::ServeConfig;
use crate::control;
use crate::engine::Engine;
use crate::error::ServeError;
use crate::http::{Dialer, Gate, Limits, listen, server_config};
use crate::journal::RealDisk;
use crate::pki;
use crate::token::TokenKey;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::TaskTracker;

/// How often watch history is looked through.
const COMPACT_EVERY: Duration = Duration::from_secs(10);

/// Serves the API and runs the controllers until `config.shutdown` is cancelled, or the journal is lost.
pub async fn serve(config: ServeConfig) -> Result<(), ServeError> {
    let ServeConfig { pki, journal, journal_limit, names, cluster, listeners, controllers, clock, entropy, shutdown } =
        config;
    let pki = pki::ensure(&pki, &names, clock())?;
    let disk = RealDisk::new(&journal, journal_limit).map_err(ServeError::FirstWrite)?;
    let (engine, committer) = Engine::start(Arc::new(disk), cluster, clock, entropy)?;
    tracing::info!(revision = engine.durable().0, "state restored");
    let gate = Arc::new(Gate {
        engine: Arc::clone(&engine),
        tokens: TokenKey::from_pem(pki.service_account_key())?,
        dialer: Dialer::new(&pki)?,
        limits: Limits::of_this_process(),
        shutdown: shutdown.clone(),
    });
    let tls = server_config(&pki)?;
    let tasks = TaskTracker::new();
    let feeds = control::Feeds::new(Arc::clone(&gate));
    for controller in controllers {
        tasks.spawn(control::run(controller, Arc::clone(&gate), Arc::clone(&feeds)));
    }
    tasks.spawn(compact(Arc::clone(&gate)));
    let outcome = tokio::select! {
        listened = listen(listeners, tls, gate, shutdown.clone()) => listened.map_err(ServeError::Listener),
        reason = engine.failed() => Err(ServeError::Committer(reason)),
    };
    shutdown.cancel();
    tasks.close();
    tasks.wait().await;
    // Blocks for one batch at most; nothing else is left to run.
    committer.finish();
    outcome
}

async fn compact(gate: Arc<Gate>) {
    let mut ticks = interval(COMPACT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! { _ = ticks.tick() => gate.engine.compact(), () = gate.shutdown.cancelled() => return }
    }
}
