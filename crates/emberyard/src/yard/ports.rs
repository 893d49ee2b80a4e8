//! Ports on the machine's loopback: chosen at the first `up`, kept, and named when somebody else holds one.

use crate::error::Failure;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

/// A process that was killed gives up its memory first and its sockets last: it looks gone while it still listens.
const LAST_BREATH: Duration = Duration::from_secs(3);
const NEXT_TRY: Duration = Duration::from_millis(50);

/// Binds on loopback, or says who is in the way. Waits for a holder that is on its way out.
pub fn listen(port: u16) -> Result<TcpListener, Failure> {
    let asked = Instant::now();
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok(listener),
            Err(_) if asked.elapsed() < LAST_BREATH => std::thread::sleep(NEXT_TRY),
            Err(_) => return Err(Failure::BusyPort { port, holder: holder(port).unwrap_or_default() }),
        }
    }
}

/// A free port, preferring the wanted one.
pub fn choose(wanted: u16) -> Result<u16, Failure> {
    let free =
        TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    free.and_then(|listener| listener.local_addr()).map(|address| address.port()).map_err(Failure::Output)
}

/// ` by NAME (process PID)`: the listener's inode in /proc/net/tcp, then whose descriptor it is.
fn holder(port: u16) -> Option<String> {
    let wanted = format!(":{port:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.get(1)?.ends_with(&wanted) && *fields.get(3)? == "0A")
            .then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    })?;
    let socket = format!("socket:[{inode}]");
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Ok(descriptors) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let holds = descriptors
            .flatten()
            .any(|fd| std::fs::read_link(fd.path()).is_ok_and(|link| link.as_os_str() == socket.as_str()));
        if holds {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!(" by {} (process {})", name.trim(), process.file_name().to_string_lossy()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_on_its_way_out_is_waited_for() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = held.local_addr().unwrap().port();
        let leaves = std::thread::spawn(move || {
            std::thread::sleep(NEXT_TRY * 3);
            drop(held);
        });
        assert_eq!(listen(port).unwrap().local_addr().unwrap().port(), port);
        leaves.join().unwrap();
    }

    #[test]
    fn a_holder_that_stays_is_named() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = held.local_addr().unwrap().port();
        let failure = listen(port).unwrap_err().to_string();
        assert!(failure.contains(&format!("port {port}")), "{failure}");
        assert!(failure.contains(" by emberyard"), "{failure}");
    }
}
