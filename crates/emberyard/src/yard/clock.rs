//! The yard's clock: the machine's, or ahead of it after a rehearsal of a clock that jumped. A machine's clock can't be set
//! for some processes alone, and not at all without root; so each process of the yard takes its time here, and only
//! `emberyard chaos` puts it ahead.
//!
//! The clock never goes back while the yard runs: whoever is to wake at a time would sleep on. A yard that starts anew has
//! the machine's time.

use super::folder::{YardDir, write_private};
use crate::machine;
use emberyard_model::Timestamp;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Reads the yard's clock; the file is looked at each time, as it changes while everybody stands still.
pub fn clock(dir: &YardDir) -> impl Fn() -> Timestamp + Send + Sync + 'static {
    let file = dir.clock_ahead();
    move || machine::now().plus(read(&file))
}

/// By how much the clock is ahead.
pub fn ahead(dir: &YardDir) -> Duration {
    read(&dir.clock_ahead())
}

/// Puts the clock further ahead; gives by how much it is now.
pub fn put_ahead(dir: &YardDir, by: Duration) -> io::Result<Duration> {
    let ahead = ahead(dir) + by;
    write_private(&dir.clock_ahead(), ahead.as_secs().to_string().as_bytes())?;
    Ok(ahead)
}

/// Gives a yard that does not run the machine's time again.
pub fn set_right(dir: &YardDir) -> io::Result<()> {
    match std::fs::remove_file(dir.clock_ahead()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn read(file: &Path) -> Duration {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    Duration::from_secs(text.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_sees_the_jump_at_once_and_a_new_yard_has_the_right_time() {
        let folder = tempfile::tempdir().unwrap();
        let dir = YardDir::locate(Some(folder.path())).unwrap();
        dir.create().unwrap();
        let hour = Duration::from_hours(1);
        let (agent, before) = (clock(&dir), machine::now());
        assert!(agent().since(before) < hour);
        assert_eq!(put_ahead(&dir, hour).unwrap(), hour);
        assert!(agent().since(before) >= hour);
        assert_eq!(put_ahead(&dir, hour).unwrap(), 2 * hour);
        assert!(clock(&dir)().since(before) >= 2 * hour);
        set_right(&dir).unwrap();
        set_right(&dir).unwrap();
        assert!(agent().since(before) < hour);
    }
}
