//! Faults that last. Each is undone when its value is dropped, so that a rehearsal that is broken off leaves no yard frozen
//! or cut.

use crate::keeper;
use crate::yard::YardDir;
use emberyard_sandbox::ProcessId;

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
        Self::make(dir, "cut", "heal", &[a, b])
    }

    /// Around one node.
    pub fn around(dir: &'a YardDir, node: u8) -> Result<Self, String> {
        Self::make(dir, "unplug", "plug", &[node])
    }

    fn make(dir: &'a YardDir, word: &str, undo: &str, numbers: &[u8]) -> Result<Self, String> {
        let words = |first: &str| -> Vec<String> {
            std::iter::once(first.to_owned()).chain(numbers.iter().map(u8::to_string)).collect()
        };
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
