//! Control groups, where they can be made: version 1, 2 or both beside each other. A group is a list of folders, one per
//! mounted hierarchy; which controllers a folder has is seen from the files in it. Without any everything here does nothing.

use crate::pod::Limits;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Controllers in use, and for each the file that shows it (version 1, version 2).
const CONTROLLERS: [(&str, &str, &str); 3] = [
    ("memory", "memory.limit_in_bytes", "memory.max"),
    ("cpu", "cpu.cfs_quota_us", "cpu.max"),
    ("pids", "pids.max", "pids.max"),
];
/// How deep leftovers are looked for.
const DEEPEST: usize = 6;
/// How often a group is tried to be removed that killed processes are still leaving, and how long after each other.
const REMOVALS: usize = 100;
const BETWEEN_REMOVALS: std::time::Duration = std::time::Duration::from_millis(50);
/// Microseconds over which a CPU quota is counted.
const PERIOD: u64 = 100_000;

/// Makes the groups of a yard wherever the machine lets us.
pub fn create_yard(dir: &Path) -> Vec<PathBuf> {
    let name = yard_name(dir);
    homes().iter().filter_map(|home| create_best(home, &name)).collect()
}

/// Version 2 beside our own group, unless the top of the hierarchy gives more controllers and lets us.
fn create_best(home: &Home, name: &str) -> Option<PathBuf> {
    let controllers = |group: &PathBuf| {
        let group = std::slice::from_ref(group);
        CONTROLLERS.iter().filter(|(controller, _, _)| has(group, controller).is_some()).count()
    };
    let first = create(&home.folder, name);
    let had = first.as_ref().map_or(0, controllers);
    if !home.unified || home.folder == home.top || had == CONTROLLERS.len() {
        return first;
    }
    match create(&home.top, name) {
        Some(top) if first.is_none() || controllers(&top) > had => {
            remove(first.as_slice());
            Some(top)
        }
        Some(top) => {
            remove(&[top]);
            first
        }
        None => first,
    }
}

/// Removes the groups of a yard, wherever in the hierarchies it was started from.
pub fn remove_yard(dir: &Path) {
    let name = yard_name(dir);
    let recorded = crate::record::read::<crate::YardHolder>(&crate::YardHolder::record_in(dir)).ok().flatten();
    let mut groups = recorded.map(|yard| yard.cgroups).unwrap_or_default();
    for home in homes() {
        groups.extend(named_below(&home.top, &name, DEEPEST));
    }
    // What was just killed leaves its group only when it has given its memory back.
    for _ in 0..REMOVALS {
        remove(&groups);
        groups.retain(|group| group.exists());
        if groups.is_empty() {
            return;
        }
        std::thread::sleep(BETWEEN_REMOVALS);
    }
}

/// Folders of a name below another one.
fn named_below(folder: &Path, name: &str, depth: usize) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders
        .flat_map(|entry| match entry.file_name() == name {
            true => vec![entry.path()],
            false if depth > 0 => named_below(&entry.path(), name, depth - 1),
            false => Vec::new(),
        })
        .collect()
}

fn yard_name(dir: &Path) -> String {
    format!("emberyard-{:08x}", short_hash(dir.as_os_str().as_bytes()))
}

/// Makes groups below others.
pub fn create_below(parents: &[PathBuf], name: &str) -> Vec<PathBuf> {
    parents.iter().filter_map(|parent| create(parent, name)).collect()
}

fn create(parent: &Path, name: &str) -> Option<PathBuf> {
    for (controller, _, _) in CONTROLLERS {
        // Only version 2 has the file, and it refuses what the parent was not given.
        let _refused = fs::OpenOptions::new()
            .write(true)
            .open(parent.join("cgroup.subtree_control"))
            .and_then(|mut file| std::io::Write::write_all(&mut file, format!("+{controller}").as_bytes()));
    }
    let group = parent.join(name);
    match fs::create_dir(&group) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => None,
        _ => Some(group),
    }
}

/// Removes groups with all below them. Groups that still have processes stay.
pub fn remove(groups: &[PathBuf]) {
    for group in groups {
        for entry in fs::read_dir(group).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                remove(&[entry.path()]);
            }
        }
        let _busy_or_gone = fs::remove_dir(group);
    }
}

/// Puts the calling process into the groups. Returns what did not work.
pub fn enter(groups: &[PathBuf]) -> Vec<String> {
    groups
        .iter()
        .filter_map(|group| {
            let procs = group.join("cgroup.procs");
            fs::write(&procs, "0").err().map(|error| format!("{}: {error}", procs.display()))
        })
        .collect()
}

/// Sets limits. Returns what did not work; limits for which there is no controller are left out, see [`has`].
pub fn limit(groups: &[PathBuf], limits: &Limits) -> Vec<String> {
    let mut said = Vec::new();
    let mut set = |file: &str, value: String| {
        for group in groups {
            let path = group.join(file);
            if path.exists()
                && let Err(error) = fs::write(&path, &value)
            {
                said.push(format!("{}={value}: {error}", path.display()));
            }
        }
    };
    if let Some(bytes) = limits.memory {
        set("memory.limit_in_bytes", bytes.to_string());
        set("memory.memsw.limit_in_bytes", bytes.to_string());
        set("memory.max", bytes.to_string());
        set("memory.swap.max", "0".to_owned());
        set("memory.oom.group", "1".to_owned());
    }
    if let Some(milli) = limits.cpu_milli {
        let quota = (milli * PERIOD / 1000).max(1000);
        set("cpu.cfs_period_us", PERIOD.to_string());
        set("cpu.cfs_quota_us", quota.to_string());
        set("cpu.max", format!("{quota} {PERIOD}"));
    }
    if let Some(milli) = limits.cpu_request_milli {
        let shares = (milli * 1024 / 1000).clamp(2, 262_144);
        set("cpu.shares", shares.to_string());
        set("cpu.weight", (1 + (shares - 2) * 9999 / 262_142).to_string());
    }
    if let Some(pids) = limits.pids {
        set("pids.max", pids.to_string());
    }
    said
}

/// The folder of the groups that has a controller.
pub fn has<'a>(groups: &'a [PathBuf], controller: &str) -> Option<&'a PathBuf> {
    let (_, first, second) = CONTROLLERS.iter().find(|(name, _, _)| *name == controller)?;
    groups.iter().find(|group| group.join(first).exists() || group.join(second).exists())
}

/// Whether a group is of version 2.
pub fn is_version_2(group: &Path) -> bool {
    group.join("cgroup.controllers").exists()
}

/// What its hierarchy is called by custom.
pub fn name_of(group: &Path) -> &'static str {
    let first = CONTROLLERS.iter().find(|(_, file, _)| group.join(file).exists());
    if is_version_2(group) { "unified" } else { first.map_or("other", |(name, _, _)| name) }
}

/// How often the kernel killed a process of the groups for lack of memory.
pub fn out_of_memory_kills(groups: &[PathBuf]) -> u64 {
    ["memory.oom_control", "memory.events"]
        .iter()
        .flat_map(|file| groups.iter().map(move |group| group.join(file)))
        .filter_map(|path| fs::read_to_string(path).ok())
        .filter_map(|text| text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse::<u64>().ok()))
        .sum()
}

/// The most memory that the groups ever had.
pub fn memory_peak(groups: &[PathBuf]) -> Option<u64> {
    let files = ["memory.peak", "memory.max_usage_in_bytes"];
    let paths = files.iter().flat_map(|file| groups.iter().map(move |group| group.join(file)));
    paths.filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok()).max()
}

/// Kills everything in the groups at once; false where the kernel cannot (version 1).
pub fn kill(groups: &[PathBuf]) -> bool {
    groups.iter().any(|group| {
        let kill = fs::OpenOptions::new().write(true).open(group.join("cgroup.kill"));
        kill.and_then(|mut file| std::io::Write::write_all(&mut file, b"1")).is_ok()
    })
}

/// Where groups can be made, by controller (and `kill` for version 2).
pub fn offers() -> BTreeMap<String, PathBuf> {
    let mut offers = BTreeMap::new();
    for home in homes() {
        let Some(group) = create_best(&home, &format!("emberyard-probe-{}", std::process::id())) else { continue };
        let home = group.parent().unwrap_or(&home.folder).to_owned();
        let trial = [group];
        for (controller, _, _) in CONTROLLERS {
            if has(&trial, controller).is_some() {
                offers.insert(controller.to_owned(), home.clone());
            }
        }
        if trial[0].join("cgroup.kill").exists() {
            offers.insert("kill".to_owned(), home.clone());
        }
        remove(&trial);
    }
    offers
}

/// Where groups of ours belong in one hierarchy.
#[derive(Debug, PartialEq, Eq)]
struct Home {
    /// Our own group.
    own: PathBuf,
    /// The folder below which they are made.
    folder: PathBuf,
    /// Where the hierarchy is mounted.
    top: PathBuf,
    /// Version 2.
    unified: bool,
}

/// Folders below which groups of ours belong. Version 1: our own group, so that limits set for us go on to hold. Version 2:
/// beside our own group, as a group with processes cannot hand controllers on; the root may.
fn homes() -> Vec<Home> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    parse_homes(&mounts, &own)
}

/// Our own groups and all above them, as far as we see: each may limit us.
pub fn around_us() -> Vec<PathBuf> {
    let chain = |home: &Home| -> Vec<PathBuf> {
        home.own.ancestors().take_while(|group| group.starts_with(&home.top)).map(Path::to_path_buf).collect()
    };
    homes().iter().flat_map(chain).collect()
}

fn parse_homes(mounts: &str, own: &str) -> Vec<Home> {
    let mut homes: Vec<Home> = Vec::new();
    for line in mounts.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let left: Vec<&str> = left.split(' ').collect();
        let right: Vec<&str> = right.split(' ').collect();
        let (&[_, _, _, root, point, ..], &[kind, _, options, ..]) = (&left[..], &right[..]) else { continue };
        let unified = kind == "cgroup2";
        let wanted = |list: &str| list.split(',').any(|name| CONTROLLERS.iter().any(|(ours, _, _)| *ours == name));
        if !(unified || kind == "cgroup" && wanted(options)) {
            continue;
        }
        let group = own.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (_, names, path) = (fields.next()?, fields.next()?, fields.next()?);
            let ours =
                if unified { names.is_empty() } else { names.split(',').any(|n| options.split(',').any(|o| o == n)) };
            ours.then_some(path)
        });
        // A mount that shows only a part of the hierarchy, as in a container, is known by its root.
        let below = group.and_then(|group| Path::new(group).strip_prefix(root).ok()).unwrap_or(Path::new(""));
        let top = PathBuf::from(point);
        let within = |below: &Path| if below.as_os_str().is_empty() { top.clone() } else { top.join(below) };
        let beside = if unified { below.parent().unwrap_or(Path::new("")) } else { below };
        let home = Home { own: within(below), folder: within(beside), top, unified };
        if !homes.contains(&home) {
            homes.push(home);
        }
    }
    homes
}

/// A short name for a folder: FNV-1a, 32 bits.
fn short_hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hierarchy_has_its_home() {
        let mixed = "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                     31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                     32 25 0:28 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n\
                     33 25 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let own = "4:memory:/job/a\n3:cpu,cpuacct:/\n0::/user.slice/s.scope\n";
        let expected =
            ["/sys/fs/cgroup/memory/job/a", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified/user.slice"];
        let folders: Vec<_> = parse_homes(mixed, own).into_iter().map(|home| home.folder).collect();
        assert_eq!(folders, expected.map(PathBuf::from));
        let own = parse_homes(mixed, own).pop().map(|home| home.own);
        assert_eq!(own, Some(PathBuf::from("/sys/fs/cgroup/unified/user.slice/s.scope")));
    }

    #[test]
    fn a_container_that_sees_a_part_of_the_hierarchy() {
        let mounts = "30 25 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate\n";
        let top = PathBuf::from("/sys/fs/cgroup");
        let home = Home { own: top.clone(), folder: top.clone(), top, unified: true };
        assert_eq!(parse_homes(mounts, "0::/docker/abc\n"), [home]);
    }
}
