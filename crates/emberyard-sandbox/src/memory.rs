//! How much memory there is: the machine's, or less where a control group sets a limit, as in a container.

use crate::cgroup;
use std::path::Path;

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// What can still be taken without swapping.
    pub available: u64,
    /// All there is.
    pub total: u64,
}

impl Memory {
    /// As of now, for this process; `None` where the system does not say.
    pub fn now() -> Option<Self> {
        let machine = of_machine(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
        let limits = cgroup::around_us().into_iter().filter_map(|group| of_group(&group));
        Some(limits.fold(machine, |least, limit| Self {
            available: least.available.min(limit.available),
            total: least.total.min(limit.total),
        }))
    }
}

fn of_machine(meminfo: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    };
    Some(Memory { available: field("MemAvailable:")?, total: field("MemTotal:")? })
}

/// What a group's limit leaves; `None` without a limit. Pages of files are given back when asked for: they count as free.
fn of_group(group: &Path) -> Option<Memory> {
    let read = |file: &str| std::fs::read_to_string(group.join(file)).ok();
    let number = |file: &str| read(file)?.trim().parse::<u64>().ok();
    let limit = number("memory.max").or_else(|| number("memory.limit_in_bytes"))?;
    let used = number("memory.current").or_else(|| number("memory.usage_in_bytes"))?;
    let stat = read("memory.stat").unwrap_or_default();
    let value = |name: &str| stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    let files = value("total_inactive_file ").or_else(|| value("inactive_file ")).unwrap_or(0);
    Some(Memory { available: limit.saturating_sub(used.saturating_sub(files)), total: limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_says() {
        let text = "MemTotal:       16000 kB\nMemFree:  1 kB\nMemAvailable:    8000 kB\n";
        assert_eq!(of_machine(text), Some(Memory { available: 8000 << 10, total: 16000 << 10 }));
        assert_eq!(of_machine("MemTotal: 16000 kB\n"), None);
    }

    #[test]
    fn limits_of_either_version() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
        assert_eq!(of_group(folder.path()), None);
        write("memory.limit_in_bytes", "1000\n");
        write("memory.usage_in_bytes", "700\n");
        write("memory.stat", "inactive_file 1\ntotal_inactive_file 200\n");
        assert_eq!(of_group(folder.path()), Some(Memory { available: 500, total: 1000 }));
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
        write("memory.current", "700\n");
        write("memory.stat", "anon 9\ninactive_file 50\n");
        write("memory.max", "max\n");
        assert_eq!(of_group(folder.path()), None);
        write("memory.max", "600\n");
        assert_eq!(of_group(folder.path()), Some(Memory { available: 0, total: 600 }));
    }
}
