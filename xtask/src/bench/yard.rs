//! A yard of a benchmark: its own folder on the project's disk, nothing of it left afterwards.

use super::lab::Lab;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// For what takes seconds on a good day.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A yard, running or not.
pub struct Yard<'lab> {
    lab: &'lab Lab,
    folder: PathBuf,
    images: Option<PathBuf>,
}

impl<'lab> Yard<'lab> {
    /// A folder for one that shares the lab's images. On disk and not in a temporary folder, which may be memory:
    /// every write of the yard waits for its disk.
    pub fn new(lab: &'lab Lab, name: &str) -> Result<Self, String> {
        Self::with(lab, name, Some(lab.images().to_path_buf()))
    }

    /// A folder for one that has to make its images first.
    pub fn bare(lab: &'lab Lab, name: &str) -> Result<Self, String> {
        Self::with(lab, name, None)
    }

    fn with(lab: &'lab Lab, name: &str, images: Option<PathBuf>) -> Result<Self, String> {
        let folder = crate::tools::cache().join("bench").join(name);
        let yard = Self { lab, folder, images };
        yard.remove(); // of a benchmark that was killed
        std::fs::create_dir_all(yard.files()).map_err(|error| format!("{}: {error}", yard.folder.display()))?;
        Ok(yard)
    }

    /// The state folder.
    pub fn dir(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// The folder JupyterLab opens on.
    pub fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// Runs a verb; its standard output and the seconds it took.
    pub fn run(&self, words: &[&str], patience: Duration) -> Result<(String, f64), String> {
        let (dir, begun) = (self.dir(), Instant::now());
        let mut environment = vec![("EMBERYARD_DIR", dir.as_path())];
        environment.extend(self.images.as_deref().map(|path| ("EMBERYARD_IMAGES", path)));
        let output = self.lab.run(self.lab.program(), words, &environment, patience)?;
        Ok((output, begun.elapsed().as_secs_f64()))
    }

    /// Starts it with these further words; the seconds until `up` returned.
    pub fn up(&self, more: &[&str]) -> Result<f64, String> {
        let files = self.files().display().to_string();
        let words = [&["up", files.as_str(), "--detach", "--no-browser"], more].concat();
        // A first start may have to build images.
        self.run(&words, Duration::from_secs(1800)).map(|(_, seconds)| seconds)
    }

    /// Stops it; the seconds that took.
    pub fn down(&self) -> Result<f64, String> {
        self.run(&["down"], PATIENCE).map(|(_, seconds)| seconds)
    }

    /// Runs Python in a kernel of its own of the notebook; what it printed.
    pub fn kernel(&self, code: &str, patience: Duration) -> Result<String, String> {
        let file = self.folder.join("code.py");
        std::fs::write(&file, code).map_err(|error| format!("{}: {error}", file.display()))?;
        let file = file.display().to_string();
        self.run(&["notebook", "run", "my-pyspark-notebook", &file], patience).map(|(printed, _)| printed)
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir().join("kubeconfig")
    }

    /// Stops what runs and removes the folder, also after an interruption.
    fn remove(&self) {
        if !self.folder.exists() {
            return;
        }
        let down = Command::new(self.lab.program())
            .args(["down", "--purge", "--yes"])
            .env("EMBERYARD_DIR", self.dir())
            .stdin(Stdio::null())
            .status();
        if !down.as_ref().is_ok_and(std::process::ExitStatus::success) && self.dir().exists() {
            eprintln!("   {} could not be taken down: {down:?}", self.dir().display());
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("   {} is left: {error}", self.folder.display());
        }
    }
}

impl Drop for Yard<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Bytes on disk of everything below a folder; a file with several names counts once.
pub fn bytes_on_disk(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut seen = std::collections::BTreeSet::new();
    let mut open = vec![folder.to_path_buf()];
    let mut bytes = 0;
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if seen.insert((meta.dev(), meta.ino())) {
                bytes += meta.blocks() * 512;
            }
            if meta.is_dir() {
                open.push(entry.path());
            }
        }
    }
    bytes
}
