//! The real clock and the real entropy: read here and nowhere else.

use emberyard_model::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Fills with the system's entropy.
///
/// The system's source fails only before its first seed at boot; waiting for it is then the only right answer.
pub fn fill(out: &mut [u8]) {
    while getrandom::fill(out).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// A random number.
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Cancels when the process is asked to end (SIGTERM, SIGINT).
pub fn cancel_on_terminate(token: tokio_util::sync::CancellationToken) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    Ok(())
}
