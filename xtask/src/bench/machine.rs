//! What a figure was taken on, and of what.

use serde::{Deserialize, Serialize};
use std::process::Command;
use std::time::{Duration, Instant};

/// Above this something else is at work, and absolute figures say little.
const QUIET: f64 = 0.5;
/// How long a machine may take to become quiet: the load average looks back a minute.
const SETTLES_WITHIN: Duration = Duration::from_secs(150);

/// The machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Machine {
    pub cores: usize,
    pub memory_gib: f64,
    pub kernel: String,
    pub system: String,
    pub root: bool,
    /// Load average of the last minute as the benchmark began.
    pub load: f64,
}

/// The program under test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Program {
    pub version: String,
    pub revision: String,
    /// Whether the sources differ from the revision.
    pub changed: bool,
    pub profile: String,
}

impl Machine {
    /// This one, now.
    pub fn this() -> Result<Self, String> {
        let memory = read("/proc/meminfo")?;
        let total =
            memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
        let total: f64 = total.ok_or("/proc/meminfo names no MemTotal")?;
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        let system = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        Ok(Self {
            cores: std::thread::available_parallelism().map_err(|error| error.to_string())?.get(),
            memory_gib: (total / f64::from(1 << 20) * 10.0).round() / 10.0,
            kernel: kernel(&read("/proc/sys/kernel/osrelease")?),
            system: system.map_or("unknown", |name| name.trim_matches('"')).to_owned(),
            root: crate::tools::is_root(),
            load: load()?,
        })
    }

    /// Whether something else was at work.
    pub fn noisy(&self) -> bool {
        self.load > QUIET
    }
}

impl Program {
    /// The sources that are built.
    pub fn this() -> Self {
        let sources = ["status", "--porcelain", "--", ".", ":!bench", ":!BENCHMARKS.md"];
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned()),
            changed: git(&sources).is_none_or(|text| !text.is_empty()),
            profile: "release".to_owned(),
        }
    }
}

/// Waits for what came before, a build or another benchmark, to leave the load average.
pub fn settle() -> Result<(), String> {
    let start = Instant::now();
    if load()? > QUIET {
        eprintln!("   waiting for a quiet machine, at most {} s", SETTLES_WITHIN.as_secs());
    }
    while load()? > QUIET && start.elapsed() < SETTLES_WITHIN {
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// The version without what its builder called it.
fn kernel(release: &str) -> String {
    release.trim().split('-').next().unwrap_or_default().to_owned()
}

fn load() -> Result<f64, String> {
    let text = read("/proc/loadavg")?;
    let first = text.split_whitespace().next().and_then(|word| word.parse().ok());
    first.ok_or_else(|| format!("/proc/loadavg: {text}"))
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

/// What git says; none outside a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(crate::root()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_kernel_is_told_by_its_version() {
        assert_eq!(super::kernel("6.1.0-49-amd64\n"), "6.1.0");
    }
}
