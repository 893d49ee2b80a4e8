//! What crosses the links of a yard's nodes, as the kernel counts it.

use super::processes::agents;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(100);

/// A time in seconds since 1970, and bytes sent so far by all nodes together: what one sends another gets, so it counts once.
type Sample = (f64, u64);

/// Looks at the counters until asked what they said.
pub struct Links {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Sample>>>,
}

impl Links {
    /// Begins.
    pub fn watch(dir: &Path) -> Self {
        // An agent is in its node's network namespace.
        let (done, agents) = (Arc::new(AtomicBool::new(false)), agents(dir));
        let over = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            let mut samples = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
                samples.push((time, agents.iter().filter_map(|pid| sent(*pid)).sum()));
                std::thread::sleep(INTERVAL);
            }
            samples
        });
        Self { done, thread: Some(thread) }
    }

    /// Ends.
    pub fn samples(mut self) -> Vec<Sample> {
        self.done.store(true, Ordering::Relaxed);
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}

/// Bytes that crossed between two times, each in a quiet moment.
pub fn crossed(samples: &[Sample], begin: f64, end: f64) -> Option<u64> {
    let before = samples.iter().rfind(|(time, _)| *time <= begin)?;
    let after = samples.iter().find(|(time, _)| *time >= end)?;
    after.1.checked_sub(before.1)
}

/// What `eth0`, which leads out of the node, has sent.
fn sent(pid: i32) -> Option<u64> {
    bytes_sent(&std::fs::read_to_string(format!("/proc/{pid}/net/dev")).ok()?)
}

/// The ninth figure of the line.
fn bytes_sent(table: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.trim().strip_prefix("eth0:"))?;
    line.split_whitespace().nth(8)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_found_among_the_others() {
        let table =
            "Inter-|   Receive\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 5 1 0 0 0 0 0 0 77 1 0 0 0 0 0 0\n";
        assert_eq!(bytes_sent(table), Some(77));
        assert_eq!(bytes_sent("lo: 1"), None);
    }

    #[test]
    fn only_what_crossed_meanwhile_counts() {
        let samples = [(1.0, 10), (2.0, 10), (3.0, 60), (4.0, 70), (5.0, 70), (6.0, 99)];
        assert_eq!(crossed(&samples, 2.5, 4.5), Some(60));
        assert_eq!(crossed(&samples, 0.5, 4.5), None);
        assert_eq!(crossed(&samples, 2.5, 6.5), None);
    }
}
