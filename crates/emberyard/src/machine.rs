//! The real clock and the real entropy: read here and nowhere else.

use emberyard_model::Timestamp;
use std::os::fd::OwnedFd;
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

/// Memory that can still be taken, in bytes: the machine's, or what a limit around us leaves; 0 if nobody says.
pub fn available_memory() -> u64 {
    emberyard_sandbox::Memory::now().map_or(0, |memory| memory.available)
}

/// What the machine calls the user who started this program; none where it has no name for them, or one that Hadoop's servers
/// would read as something else (`name@realm`). Asked of `id`, which knows where names are besides in a file.
pub fn user() -> Option<String> {
    let output = std::process::Command::new("id").arg("-un").output().ok().filter(|output| output.status.success())?;
    let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    (begins && name.len() <= 64 && name.chars().all(plain)).then_some(name)
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

/// Sockets that the keeper left open from descriptor 3 on.
pub fn inherited(count: i32) -> std::io::Result<Vec<OwnedFd>> {
    use rustix::process::{PidfdFlags, getpid, pidfd_open};
    listeners_of(pidfd_open(getpid(), PidfdFlags::empty())?, count)
}

/// Copies of the listening sockets that a process of ours was given from descriptor 3 on. Taken through the process's
/// descriptor, since owning a number that somebody else opened is an unsafe claim.
pub fn listeners_of(process: OwnedFd, count: i32) -> std::io::Result<Vec<OwnedFd>> {
    use rustix::process::{PidfdGetfdFlags, pidfd_getfd};
    let copy = |number| {
        let socket = pidfd_getfd(&process, number, PidfdGetfdFlags::empty())?;
        // A number that is no listening socket means that something else than the keeper started the process.
        if rustix::net::sockopt::socket_acceptconn(&socket).unwrap_or(false) {
            Ok(socket)
        } else {
            Err(std::io::Error::other(
                "this part of Emberyard is started by `emberyard up`, which hands it its sockets",
            ))
        }
    };
    (3..3 + count).map(copy).collect()
}
