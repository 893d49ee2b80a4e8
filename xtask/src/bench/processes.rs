//! A yard's processes: which part of it each is, the memory they hold together, the CPU time they used.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(250);
/// Clock ticks a second, as Linux tells them to programs on every machine we run on.
const TICKS: f64 = 100.0;

/// Parts of a yard, as the issues name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Keeper,
    Holders,
    Api,
    Operator,
    Agents,
    /// Supervisors and what runs in pods.
    Pods,
}

impl Part {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keeper => "keeper",
            Self::Holders => "holders",
            Self::Api => "API server, scheduler and controllers",
            Self::Operator => "operator and gateway",
            Self::Agents => "agents",
            Self::Pods => "pods",
        }
    }

    /// By a command line; only the program's own processes have words of the program.
    fn of(words: &[&str]) -> Self {
        match words {
            [_, "sandbox-yard" | "sandbox-node", ..] => Self::Holders,
            [_, "--dir", _, "keeper"] => Self::Keeper,
            [_, "--dir", _, "api"] => Self::Api,
            [_, "--dir", _, "operator"] => Self::Operator,
            [_, "--dir", _, "node-agent", _] => Self::Agents,
            _ => Self::Pods,
        }
    }
}

/// Sum of PSS by part, in bytes.
pub type Memory = BTreeMap<Part, u64>;

/// All bytes of it.
pub fn total(memory: &Memory) -> u64 {
    memory.values().sum()
}

/// What a yard's processes hold now. A process that ends meanwhile holds nothing.
pub fn memory(dir: &Path) -> Memory {
    let mut sum = Memory::new();
    for (pid, part) in processes(dir) {
        *sum.entry(part).or_default() += pss(pid).unwrap_or(0);
    }
    sum
}

/// What a yard's Java machines with this in their command line hold now, in bytes.
pub fn java(dir: &Path, word: &str) -> u64 {
    let wanted =
        processes(dir).into_iter().map(|(pid, _)| pid).filter(|pid| is_java(*pid) && cmdline(*pid).contains(word));
    wanted.filter_map(pss).sum()
}

/// Seconds of CPU time a yard's processes have used so far.
pub fn cpu_seconds(dir: &Path) -> f64 {
    let ticks: u64 = processes(dir).into_iter().filter_map(|(pid, _)| ticks(pid)).sum();
    ticks as f64 / TICKS
}

/// The yard's node agents.
pub fn agents(dir: &Path) -> Vec<i32> {
    processes(dir).into_iter().filter(|(_, part)| *part == Part::Agents).map(|(pid, _)| pid).collect()
}

/// Whether a JVM of the yard runs.
pub fn has_java(dir: &Path) -> bool {
    processes(dir).into_iter().any(|(pid, _)| is_java(pid))
}

fn is_java(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "java")
}

/// Everything in the yard's namespaces, marked or not, and the keeper, which stands outside.
fn processes(dir: &Path) -> Vec<(i32, Part)> {
    let mut pids: Vec<i32> =
        emberyard_sandbox::find(dir).unwrap_or_default().into_iter().map(|process| process.pid).collect();
    let keeper = format!("--dir\0{}\0keeper\0", dir.display());
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    pids.extend(
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|pid| cmdline(*pid).ends_with(&keeper)),
    );
    pids.sort_unstable();
    pids.dedup();
    let part = |pid| {
        let line = cmdline(pid);
        Part::of(&line.split_terminator('\0').collect::<Vec<_>>())
    };
    pids.into_iter().map(|pid| (pid, part(pid))).collect()
}

fn cmdline(pid: i32) -> String {
    std::fs::read(format!("/proc/{pid}/cmdline"))
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .unwrap_or_default()
}

fn pss(pid: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let kib: u64 = text.lines().find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse().ok())?;
    Some(kib << 10)
}

/// Fields 14 and 15 of `/proc/PID/stat`.
fn ticks(pid: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Watches a yard's memory until asked for its peak.
pub struct Watch {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<Memory>>,
}

impl Watch {
    /// Begins.
    pub fn begin(dir: &Path) -> Self {
        let (done, dir) = (Arc::new(AtomicBool::new(false)), dir.to_path_buf());
        let over = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            let mut peak = Memory::new();
            while !over.load(Ordering::Relaxed) {
                let now = memory(&dir);
                if total(&now) > total(&peak) {
                    peak = now;
                }
                std::thread::sleep(INTERVAL);
            }
            peak
        });
        Self { done, thread: Some(thread) }
    }

    /// The largest sum seen, by part.
    pub fn peak(mut self) -> Result<Memory, String> {
        self.done.store(true, Ordering::Relaxed);
        let peak = self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        if peak.is_empty() { Err("no process of the yard was seen".to_owned()) } else { Ok(peak) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_by_their_words() {
        assert_eq!(Part::of(&["emberyard", "sandbox-node", "/yard"]), Part::Holders);
        assert_eq!(Part::of(&["emberyard", "sandbox-pod", "/yard"]), Part::Pods);
        assert_eq!(Part::of(&["/proc/self/exe", "--dir", "/yard", "node-agent", "n1"]), Part::Agents);
        assert_eq!(Part::of(&["/x/emberyard", "--dir", "/yard", "keeper"]), Part::Keeper);
        assert_eq!(Part::of(&["java", "-cp", "x"]), Part::Pods);
    }

    #[test]
    fn this_process_holds_memory_and_has_used_time() {
        let pid = std::process::id() as i32;
        assert!(pss(pid).unwrap() > 1 << 16);
        assert!(ticks(pid).is_some());
    }
}
