//! What the processes of a pod use, summed from `/proc`: works with and without control groups.

use crate::error::{Context, Result};
use crate::process::ProcessId;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

/// Use of resources by processes that are there now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Memory that is not shared with files, bytes.
    pub memory: u64,
    /// CPU time since each process began, ended ones that nobody waited for aside.
    pub cpu: Duration,
    /// Processes.
    pub processes: u32,
}

/// Of all processes in the pid namespace of a process.
pub fn of_pid_namespace(init: &ProcessId) -> Result<Usage> {
    let mut usage = Usage::default();
    for pid in pids_beside(init)? {
        usage.processes += 1;
        usage.memory += anonymous_memory(&read(pid, "status"));
        usage.cpu += cpu_time(&read(pid, "stat")).unwrap_or_default();
    }
    Ok(usage)
}

/// All processes in the pid namespace of a process, itself included.
pub fn pids_beside(init: &ProcessId) -> Result<Vec<i32>> {
    let namespace = |pid: i32| std::fs::metadata(format!("/proc/{pid}/ns/pid")).map(|meta| (meta.dev(), meta.ino()));
    let wanted = namespace(init.pid).context(|| format!("pid namespace of process {}", init.pid))?;
    let entries = std::fs::read_dir("/proc").context(|| "/proc".to_owned())?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    Ok(pids.filter(|pid| namespace(*pid).is_ok_and(|namespace| namespace == wanted)).collect())
}

fn read(pid: i32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default()
}

/// `RssAnon` and `RssShmem` of a `status` file, which has them in KiB.
fn anonymous_memory(status: &str) -> u64 {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    (field("RssAnon:").unwrap_or(0) + field("RssShmem:").unwrap_or(0)) * 1024
}

/// Fields 14 and 15 of a `stat` file, in ticks of a hundredth of a second, which is fixed for programs on Linux.
fn cpu_time(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_proc() {
        let status = "Name:\tjava\nRssAnon:\t  2048 kB\nRssFile:\t 999 kB\nRssShmem:\t 4 kB\n";
        assert_eq!(anonymous_memory(status), 2052 * 1024);
        assert_eq!(anonymous_memory(""), 0);
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 13 14";
        assert_eq!(cpu_time(stat), Some(Duration::from_secs(2)));
        assert_eq!(cpu_time("7"), None);
    }
}
