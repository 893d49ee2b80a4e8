//! What a yard must not leave: looked for without the product's own means.

use super::Yard;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Device and inode of a namespace.
type Namespace = (u64, u64);

/// Traces of a running yard.
pub struct Traces {
    control_groups: BTreeSet<PathBuf>,
    beside: BTreeSet<OsString>,
}

impl Yard {
    /// Every process of the yard: those that carry its mark, and all in the namespaces of these.
    pub fn pids(&self) -> Vec<String> {
        let mark = format!("EMBERYARD_YARD={}", self.dir().display());
        let all: Vec<String> = pids().collect();
        let marked = |pid: &&String| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|pair| pair == mark.as_bytes())
        };
        let own: BTreeSet<Namespace> = namespaces("self").collect();
        let ours: BTreeSet<Namespace> =
            all.iter().filter(marked).flat_map(|pid| namespaces(pid)).filter(|space| !own.contains(space)).collect();
        let inside = |pid: &String| namespaces(pid).any(|space| ours.contains(&space));
        all.iter().filter(|pid| marked(pid) || inside(pid)).cloned().collect()
    }

    /// What is to be seen of a running yard, to be looked for afterwards.
    pub fn traces(&self) -> Traces {
        let groups = self.pids().iter().flat_map(|pid| control_groups(pid)).collect();
        let mut beside = names(self.beside());
        beside.remove(self.dir().file_name().unwrap());
        Traces { control_groups: groups, beside }
    }

    /// Nothing is left of a yard that was running when the traces were taken.
    pub fn nothing_left_of(&self, traces: &Traces) {
        assert_eq!(self.pids(), Vec::<String>::new(), "processes");
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let dir = self.dir().display().to_string();
        assert!(!mounts.contains(&dir), "mounts: {mounts}");
        let groups: Vec<_> = traces.control_groups.iter().filter(|group| group.exists()).collect();
        assert!(groups.is_empty(), "control groups: {groups:?}");
        assert!(!self.dir().exists(), "the state folder");
        assert_eq!(names(self.beside()), traces.beside, "files beside the state folder");
        assert_eq!(names(&self.temporary()), BTreeSet::new(), "temporary files");
        assert!(self.files.exists(), "the user's folder is gone");
    }
}

fn pids() -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name.parse::<u32>().is_ok())
}

fn namespaces(pid: &str) -> impl Iterator<Item = Namespace> + use<> {
    use std::os::unix::fs::MetadataExt;
    let one = |kind: &&str| std::fs::metadata(format!("/proc/{pid}/ns/{kind}")).ok();
    let found: Vec<_> = ["user", "net", "pid"].iter().filter_map(one).collect();
    found.into_iter().map(|meta| (meta.dev(), meta.ino()))
}

/// The yard's control groups that a process is in: the folders whose path names a yard.
fn control_groups(pid: &str) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let paths: Vec<&str> = text.lines().filter_map(|line| line.splitn(3, ':').nth(2)).collect();
    let yards = paths.into_iter().filter_map(|path| {
        let at = path.find("/emberyard-")? + 1;
        let end = path[at..].find('/').map_or(path.len(), |length| at + length);
        Some(path[1..end].to_owned())
    });
    let hierarchies: Vec<PathBuf> = std::fs::read_to_string("/proc/self/mounts")
        .unwrap()
        .lines()
        .filter(|line| line.split(' ').nth(2).is_some_and(|kind| kind.starts_with("cgroup")))
        .filter_map(|line| line.split(' ').nth(1).map(PathBuf::from))
        .collect();
    yards.flat_map(|yard| hierarchies.iter().map(move |home| home.join(&yard)).collect::<Vec<_>>()).collect()
}

fn names(folder: &Path) -> BTreeSet<OsString> {
    std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name()).collect()
}
