//! What crosses the links of a yard's nodes, as the kernel counts it.

use super::processes::agents;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
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

/// Node links that are narrow until this is dropped.
pub struct Narrow(Vec<i32>);

/// Narrows what each node can send to a rate, as `tc` writes it: with it what each can get, as far as others send no more.
pub fn narrow(dir: &Path, rate: &str) -> Result<Narrow, String> {
    let narrow = Narrow(agents(dir));
    for pid in &narrow.0 {
        // Buckets must hold what is sent between two ticks; links of that rate have buffers of milliseconds.
        let words = ["qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "1mb", "latency", "20ms"];
        tc(*pid, &words)?;
    }
    Ok(narrow)
}

impl Drop for Narrow {
    fn drop(&mut self) {
        for pid in &self.0 {
            // A node that has gone took its link along.
            drop(tc(*pid, &["qdisc", "del", "dev", "eth0", "root"]));
        }
    }
}

/// Runs `tc` in the network namespace of a process, on a thread of its own which enters it first.
fn tc(pid: i32, words: &[&str]) -> Result<(), String> {
    let run = || {
        let namespace = std::fs::File::open(format!("/proc/{pid}/ns/net")).map_err(|error| error.to_string())?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
            .map_err(|error| format!("the node's network can't be entered: {error}"))?;
        let output = Command::new("tc").args(words).output().map_err(|error| format!("tc of iproute2: {error}"))?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
    };
    std::thread::scope(|scope| scope.spawn(run).join()).map_err(|_| "tc: its thread died".to_owned())?
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
