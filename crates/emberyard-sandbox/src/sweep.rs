//! Finding what a yard left behind.

use crate::cgroup;
use crate::error::{Context, Result};
use crate::holder::{NodeHolder, YardHolder};
use crate::process::ProcessId;
use crate::record;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Environment variable that marks a process as a yard's; its value is the yard's folder. Set by this crate for its own
/// processes; whoever uses [`crate::spawn_in`] should set it as well.
pub const YARD_MARK: &str = "EMBERYARD_YARD";

/// Rounds of looking and killing, as a process may fork between.
const ROUNDS: usize = 5;

/// Device and inode of a namespace.
type Namespace = (u64, u64);

/// Processes of the yard: holders, other marked processes, and everything in the holders' namespaces. The caller is left out.
pub fn find(dir: &Path) -> Result<Vec<ProcessId>> {
    let dir = dir.canonicalize().context(|| dir.display().to_string())?;
    let mark = [YARD_MARK.as_bytes(), b"=", dir.as_os_str().as_bytes()].concat();
    let all = processes()?;
    let mut found: BTreeSet<ProcessId> = all.iter().filter(|id| is_marked(id.pid, &mark)).cloned().collect();
    // Only roles make namespaces of ours. A keeper may itself live in a network namespace that it shares with others.
    let own: BTreeSet<Namespace> = namespaces("self").collect();
    let ours: BTreeSet<Namespace> = found
        .iter()
        .filter(|id| is_role(id.pid, &dir))
        .flat_map(|id| namespaces(&id.pid.to_string()))
        .filter(|space| !own.contains(space))
        .collect();
    found.extend(all.into_iter().filter(|id| namespaces(&id.pid.to_string()).any(|space| ours.contains(&space))));
    found.retain(|id| id.pid != std::process::id() as i32 && id.is_alive());
    Ok(found.into_iter().collect())
}

/// Kills every process of the yard and removes its control groups; returns how many processes were killed.
pub fn sweep(dir: &Path) -> Result<usize> {
    let dir = dir.canonicalize().context(|| dir.display().to_string())?;
    let mut killed = BTreeSet::new();
    for _round in 0..ROUNDS {
        let found = find(&dir)?;
        if found.is_empty() {
            break;
        }
        // All at once, then waiting: whoever would restart another is dead before.
        for process in &found {
            process.signal(libc::SIGKILL)?;
        }
        for process in found {
            process.kill()?;
            killed.insert(process);
        }
    }
    cgroup::remove_yard(&dir);
    record::remove(&YardHolder::record_in(&dir))?;
    for entry in fs::read_dir(dir.join("nodes")).into_iter().flatten().flatten() {
        record::remove(&NodeHolder::record_in(&entry.path()))?;
    }
    Ok(killed.len())
}

fn processes() -> Result<Vec<ProcessId>> {
    let entries = fs::read_dir("/proc").context(|| "/proc".to_owned())?;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    Ok(pids.filter_map(|pid| ProcessId::of(pid).ok()).collect())
}

fn is_marked(pid: i32, mark: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|env| env.split(|byte| *byte == 0).any(|one| one == mark))
}

/// Whether it is a process of this crate for the yard in `dir`: program, role, folder.
fn is_role(pid: i32, dir: &Path) -> bool {
    let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else { return false };
    let mut words = line.split(|byte| *byte == 0).skip(1);
    words.next().is_some_and(|role| role.starts_with(b"sandbox-")) && words.next() == Some(dir.as_os_str().as_bytes())
}

/// The user, network and pid namespaces of a process, as far as they may be seen.
fn namespaces(process: &str) -> impl Iterator<Item = Namespace> + use<> {
    ["user", "net", "pid"]
        .into_iter()
        .filter_map(move |kind| fs::metadata(format!("/proc/{process}/ns/{kind}")).ok())
        .map(|meta| (meta.dev(), meta.ino()))
        .collect::<Vec<_>>()
        .into_iter()
}

/// Removes a folder with everything in it, also folders without permissions as overlays leave them. Missing is fine.
pub fn remove_tree(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            open_up(dir);
            fs::remove_dir_all(dir).context(|| dir.display().to_string())
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context(|| dir.display().to_string()),
        _ => Ok(()),
    }
}

/// Gives the owner the right to list and change every folder below.
fn open_up(dir: &Path) {
    let _not_ours = fs::set_permissions(dir, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}
