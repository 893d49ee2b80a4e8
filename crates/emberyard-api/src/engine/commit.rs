//! The committer: one thread that owns the journal, appends what was applied, and publishes what is durable.

use super::{Engine, Refusal, rebuild};
use crate::error::ServeError;
use crate::journal::Journal;
use emberyard_cluster::Record;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle, park, park_timeout};
use std::time::Duration;

/// How often a refusing journal is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The running committer. Dropping it ends it after what is pending was written.
pub struct Committer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Writes what is pending and ends.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A committer that panicked has already told the engine.
            let _ = thread.join();
        }
    }
}

/// Tells the engine that the committer has ended, however it ended.
struct Farewell(Arc<Engine>);

impl Drop for Farewell {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.failure.set("the committer failed inside".to_owned());
        }
        self.0.ended.cancel();
    }
}

pub(super) fn start(engine: Arc<Engine>, journal: Journal) -> Result<Committer, ServeError> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let farewell = Farewell(Arc::clone(&engine));
    let shared = Arc::clone(&engine);
    let run = move || {
        let farewell = farewell;
        if let Err(error) = (Loop { engine: shared, journal, stop: asked }).run() {
            tracing::error!(%error, "the journal is lost");
            let _ = farewell.0.failure.set(error.to_string());
        }
    };
    let thread = Builder::new().name("committer".to_owned()).spawn(run).map_err(ServeError::FirstWrite)?;
    let _ = engine.committer.set(thread.thread().clone());
    Ok(Committer { stop, thread: Some(thread) })
}

struct Loop {
    engine: Arc<Engine>,
    journal: Journal,
    stop: Arc<AtomicBool>,
}

impl Loop {
    fn run(mut self) -> Result<(), ServeError> {
        loop {
            let ending = self.stop.load(Ordering::Acquire);
            let (batch, fault) = {
                let mut state = self.engine.write();
                (std::mem::take(&mut state.pending), state.refusing.as_ref().is_some_and(Refusal::everything))
            };
            if !batch.is_empty() {
                self.commit(&batch)?;
            } else if fault {
                self.restart(None)?;
            } else if ending {
                self.journal.seal();
                return Ok(());
            } else {
                self.journal.seal();
                park();
            }
        }
    }

    fn commit(&mut self, batch: &[Record]) -> Result<(), ServeError> {
        if !self.append(batch)? || !self.journal.wants_snapshot() {
            return Ok(());
        }
        // What a snapshot shows must be durable before the snapshot takes the journal's place.
        let (rest, snapshot) = {
            let mut state = self.engine.write();
            (std::mem::take(&mut state.pending), state.server.snapshot())
        };
        if self.append(&rest)?
            && let Err(error) = self.journal.keep_snapshot(&snapshot)
        {
            tracing::warn!(%error, "no snapshot could be kept; the journal goes on growing");
        }
        Ok(())
    }

    /// Makes one batch durable and says so; false when the disk did not take it.
    fn append(&mut self, batch: &[Record]) -> Result<bool, ServeError> {
        if let Err(error) = self.journal.append(batch) {
            tracing::error!(%error, "the journal can't be written: changes are refused");
            self.restart(Some(Refusal::write(&error)))?;
            return Ok(false);
        }
        self.engine.settled.advance(self.journal.durable());
        self.engine.hub.publish(batch);
        Ok(true)
    }

    /// Rebuilds the memory from what is durable. With a reason, changes stay refused until the disk takes data again.
    fn restart(&mut self, why: Option<Refusal>) -> Result<(), ServeError> {
        {
            let mut state = self.engine.write();
            let recovered = self.journal.reread()?;
            state.server = rebuild(&self.engine.config, recovered)?;
            state.pending.clear();
            state.epoch += 1;
            state.refusing.clone_from(&why);
            self.engine.settled.end_life(why.clone().unwrap_or_else(Refusal::fault));
        }
        if why.is_none() {
            return Ok(());
        }
        while let Err(error) = self.journal.repair() {
            if self.stop.load(Ordering::Acquire) {
                return Ok(());
            }
            self.engine.write().refusing = Some(Refusal::write(&error));
            park_timeout(RETRY);
        }
        tracing::info!("the journal takes changes again");
        self.engine.write().refusing = None;
        Ok(())
    }
}
