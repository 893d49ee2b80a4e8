//! A yard of its own for each test.

use emberyard_sandbox::{Mode, NodeHolder, YardHolder, create_node, create_yard, sweep};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A folder, and the mode that fits the user who runs the tests.
pub struct World {
    folder: tempfile::TempDir,
    pub mode: Mode,
}

impl World {
    pub fn new() -> Self {
        let mode = if rustix::process::geteuid().is_root() { Mode::Root } else { Mode::Rootless };
        Self { folder: tempfile::Builder::new().prefix("ey-yard").tempdir().unwrap(), mode }
    }

    pub fn dir(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub fn yard(&self) -> YardHolder {
        create_yard(self.folder.path(), self.mode).unwrap()
    }

    pub fn node(&self) -> NodeHolder {
        let yard = self.yard();
        let dir = self.sub("nodes/one");
        create_node(&yard, "one", &dir).unwrap()
    }

    pub fn sub(&self, path: &str) -> PathBuf {
        let dir = self.dir().join(path);
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// Ends everything; how many processes had been left.
    pub fn end(self) -> usize {
        let left = sweep(self.folder.path()).unwrap();
        emberyard_sandbox::remove_tree(self.folder.path()).unwrap();
        left
    }
}

/// Waits until it is so, at most ten seconds.
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !so() {
        assert!(Instant::now() < until, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Text of a file, empty while there is none.
pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
