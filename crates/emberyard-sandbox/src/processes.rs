//! What the processes of containers use, read from `/proc`, told apart by their mount namespaces: works with and without
//! control groups.

use crate::process::ProcessId;
use crate::sys;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

/// The processes of this machine by mount namespace, at one moment.
#[derive(Debug, Default)]
pub struct Processes(BTreeMap<u64, Vec<i32>>);

impl Processes {
    /// Looks at all of `/proc`.
    pub fn look() -> Self {
        let mut found = BTreeMap::<u64, Vec<i32>>::new();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if let Some(mounts) = mounts(pid) {
                found.entry(mounts).or_default().push(pid);
            }
        }
        Self(found)
    }

    /// The processes of the container whose main process this is.
    pub fn of(&self, main: &ProcessId) -> &[i32] {
        let mounts = if main.is_alive() { mounts(main.pid) } else { None };
        mounts.map_or(&[], |mounts| self.of_mounts(mounts))
    }

    /// Those in a mount namespace.
    pub(crate) fn of_mounts(&self, inode: u64) -> &[i32] {
        self.0.get(&inode).map_or(&[], Vec::as_slice)
    }
}

fn mounts(pid: i32) -> Option<u64> {
    std::fs::metadata(format!("/proc/{pid}/ns/mnt")).ok().map(|meta| meta.ino())
}

/// All that a process has in memory, bytes: cheap, and never less than [`proportional`].
pub fn resident(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * sys::page_size()
}

/// What of a process would be freed with it, bytes: without files, and with its share of what it has in common with
/// others. The kernel walks all its pages for that.
pub fn proportional(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let known = field("Pss_Anon:").map(|anonymous| anonymous + field("Pss_Shmem:").unwrap_or(0)).or(field("Pss:"));
    (known.unwrap_or(0) + field("SwapPss:").unwrap_or(0)) * 1024
}

/// Name of a process's program, as the kernel has it.
pub fn name(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_among_its_own() {
        let own = i32::try_from(std::process::id()).unwrap();
        let found = Processes::look();
        assert!(found.of(&ProcessId::of(own).unwrap()).contains(&own));
        let block = vec![1_u8; 40 << 20];
        assert!(proportional(own) >= block.len() as u64, "{}", proportional(own));
        assert!(resident(own) >= proportional(own));
        assert!(!name(own).is_empty());
    }
}
