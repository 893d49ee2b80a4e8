//! Running one command in a root file system of its own: image builds.

use crate::error::Result;
use crate::pod::MountSpec;
use std::path::PathBuf;

/// Where the command's root file system comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Root {
    /// A folder, changed in place.
    Folder(PathBuf),
    /// Layers (topmost first) below a folder that takes the changes in `upper`.
    Layers {
        /// Read-only folders, topmost first.
        lowers: Vec<PathBuf>,
        /// Holds `upper` and `work`; made if missing.
        scratch: PathBuf,
    },
}

/// A command to run. It is root inside, on the machine's network, and sees nothing of the machine but `mounts`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunSpec {
    /// Its root file system.
    pub root: Root,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Working folder.
    pub cwd: PathBuf,
    /// Further mounts. Mount points made for them are removed again afterwards if they are empty.
    pub mounts: Vec<MountSpec>,
    /// Binds the machine's resolv.conf and CA certificates, and sets `SSL_CERT_FILE` when not set.
    pub host_network_files: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus {
    /// Exit code, 128 + signal for a signal.
    pub code: i32,
}

impl ExitStatus {
    /// Whether it ended with 0.
    pub fn success(self) -> bool {
        self.code == 0
    }
}

/// A command that runs. Dropping it kills the command and all it started.
#[derive(Debug)]
pub struct Running(());

/// Starts the command; standard output and error come as one stream of lines.
pub fn start_in_root(spec: &RunSpec) -> Result<Running> {
    todo!("{spec:?}")
}

impl Running {
    /// The next line of output without its newline (invalid UTF-8 replaced, cut at 16 KiB); `None` at the end.
    pub fn next_line(&mut self) -> Result<Option<String>> {
        todo!()
    }

    /// Waits for the end.
    pub fn wait(self) -> Result<ExitStatus> {
        todo!()
    }
}

/// Runs the command to its end, handing each line of output to `line`.
pub fn run_in_root(spec: &RunSpec, line: &mut dyn FnMut(&str)) -> Result<ExitStatus> {
    let mut running = start_in_root(spec)?;
    while let Some(text) = running.next_line()? {
        line(&text);
    }
    running.wait()
}
