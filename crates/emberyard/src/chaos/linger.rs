//! Faults that last. Each is undone when its value is dropped, so that a rehearsal that is broken off leaves no yard frozen
//! or cut.

use crate::keeper;
use crate::yard::YardDir;
use emberyard_sandbox::ProcessId;
use std::net::Ipv4Addr;

/// SIGSTOP and SIGCONT of every process of the yard.
pub struct Frozen(Vec<ProcessId>);

impl Frozen {
    /// Freezes. Rounds, as a process may be born between.
    pub fn freeze(dir: &YardDir) -> Result<Self, String> {
        let mut frozen = Self(Vec::new());
        for _round in 0..2 {
            for process in emberyard_sandbox::find(dir.path()).map_err(|error| error.to_string())? {
                process.signal(rustix::process::Signal::STOP.as_raw()).map_err(|error| error.to_string())?;
                if !frozen.0.contains(&process) {
                    frozen.0.push(process);
                }
            }
        }
        Ok(frozen)
    }

    /// How many stand still.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for process in &self.0 {
            // One that ended meanwhile needs no waking.
            drop(process.signal(rustix::process::Signal::CONT.as_raw()));
        }
    }
}

/// A cut in the yard's network.
pub struct Cut<'a> {
    dir: &'a YardDir,
    undo: Vec<String>,
}

impl<'a> Cut<'a> {
    /// Between two nodes' pods.
    pub fn between(dir: &'a YardDir, a: u8, b: u8) -> Result<Self, String> {
        Self::make(dir, "cut", "heal", &[a.to_string(), b.to_string()])
    }

    /// Around one node.
    pub fn around(dir: &'a YardDir, node: u8) -> Result<Self, String> {
        Self::make(dir, "unplug", "plug", &[node.to_string()])
    }

    /// Around one pod. `neighbour`: a process on its node, outside of pods.
    pub fn around_pod(dir: &'a YardDir, neighbour: &ProcessId, address: Ipv4Addr) -> Result<Self, String> {
        Self::make(dir, "unplug-pod", "plug-pod", &[neighbour.pid.to_string(), address.to_string()])
    }

    fn make(dir: &'a YardDir, word: &str, undo: &str, which: &[String]) -> Result<Self, String> {
        let words =
            |first: &str| -> Vec<String> { std::iter::once(first.to_owned()).chain(which.iter().cloned()).collect() };
        let cut = Self { dir, undo: words(undo) };
        keeper::network_step(dir, &words(word)).map_err(|error| error.to_string())?;
        Ok(cut)
    }

    /// Mends it, and says if that fails.
    pub fn mend(mut self) -> Result<(), String> {
        let undo = std::mem::take(&mut self.undo);
        keeper::network_step(self.dir, &undo).map_err(|error| error.to_string())
    }
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        if !self.undo.is_empty() {
            drop(keeper::network_step(self.dir, &self.undo));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state letter of a process, when it is the wanted one: a signal takes a moment to act.
    fn becomes(child: &std::process::Child, wanted: &str) -> bool {
        (0..500).any(|_| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
            let letter = stat.rsplit_once(')').unwrap().1.split_whitespace().next().unwrap().to_owned();
            if letter != wanted {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            letter == wanted
        })
    }

    #[test]
    fn a_yard_stands_still_until_the_value_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        let mut command = std::process::Command::new("sleep");
        let mut child = command.arg("60").env(emberyard_sandbox::YARD_MARK, &path).spawn().unwrap();
        let yard = YardDir::locate(Some(&path)).unwrap();
        assert!(becomes(&child, "S"));
        let frozen = Frozen::freeze(&yard).unwrap();
        assert_eq!(frozen.count(), 1);
        assert!(becomes(&child, "T"));
        drop(frozen);
        assert!(becomes(&child, "S"));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
