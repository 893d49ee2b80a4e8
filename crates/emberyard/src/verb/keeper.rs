//! `keeper`: the long-lived parent of the yard's processes.

use crate::error::Failure;
use crate::yard::YardDir;

/// Runs until told to stop.
pub async fn run(dir: YardDir) -> Result<(), Failure> {
    // A session of its own, so that the terminal's Ctrl-C reaches `up` and not the yard.
    let _ = rustix::process::setsid();
    log();
    let log = dir.log().join("keeper.log");
    crate::keeper::run(dir).await.map_err(|error| Failure::Start { why: error.to_string(), log })
}

/// Logs of long-lived processes go to standard error, which the keeper sends to a file each. `RUST_LOG` chooses.
pub fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // That a line can't be written, on a full disk, would be told on standard error as well, and panic there.
    log.log_internal_errors(false).init();
}
