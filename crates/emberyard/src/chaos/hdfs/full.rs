//! A server that can't write to its volume, as on a full disk: its files may not grow, so that every write fails. All volumes
//! of a yard lie on one disk of the machine, and a small one of its own would need root.

use emberyard_sandbox::ProcessId;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// Java machines without room, until the value is dropped.
pub struct Full(Vec<(ProcessId, Rlimit)>);

impl Full {
    /// Takes it from them.
    pub fn make(processes: &[ProcessId]) -> Result<Self, String> {
        let mut full = Self(Vec::new());
        for process in processes {
            // The hard limit stays: only root could give it back.
            let none = Rlimit { current: Some(0), maximum: hard(process)? };
            full.0.push((process.clone(), set(process, none)?));
        }
        if full.0.is_empty() { Err("there was no such process".to_owned()) } else { Ok(full) }
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        for (process, before) in self.0.drain(..) {
            // One that ended meanwhile needs none; its successor has no limit.
            if process.is_alive() {
                drop(set(&process, before));
            }
        }
    }
}

/// Sets how long files of a process may become; what it was before.
fn set(process: &ProcessId, limit: Rlimit) -> Result<Rlimit, String> {
    let pid = Pid::from_raw(process.pid).ok_or("process 0 has no limits")?;
    prlimit(Some(pid), Resource::Fsize, limit).map_err(|error| format!("limits of process {}: {error}", process.pid))
}

/// How far a process may raise it itself; none for no limit. `prlimit` tells what was only together with what shall be.
fn hard(process: &ProcessId) -> Result<Option<u64>, String> {
    let path = format!("/proc/{}/limits", process.pid);
    let limits = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max file size"));
    let word =
        line.and_then(|line| line.split_whitespace().nth(1)).ok_or_else(|| format!("{path} names no file size"))?;
    Ok(word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soft(child: &std::process::Child) -> String {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max file size")).unwrap().to_owned();
        line.split_whitespace().nth(3).unwrap().to_owned()
    }

    #[test]
    fn room_comes_back_when_the_value_is_dropped() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = ProcessId::of(i32::try_from(child.id()).unwrap()).unwrap();
        let before = soft(&child);
        let full = Full::make(std::slice::from_ref(&process)).unwrap();
        assert_eq!(soft(&child), "0");
        drop(full);
        assert_eq!(soft(&child), before);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Full::make(&[]).is_err());
    }
}
