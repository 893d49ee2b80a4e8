//! Where benchmarks run: the built program, its images, and processes that end when the benchmark does.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What every benchmark is given.
pub struct Lab {
    /// How often each side runs.
    pub rounds: usize,
    program: PathBuf,
    images: PathBuf,
    runtime: Runtime,
    interrupted: CancellationToken,
}

impl Lab {
    /// Builds the program in release mode. `images` is the store to use; without one, the project's own is made when
    /// needed.
    pub fn open(rounds: usize, images: Option<PathBuf>) -> Result<Self, String> {
        // The load program speaks for both sides: a slow build of it would measure itself. Both at once: each alone would
        // build the crates they share with features of its own.
        crate::check::cargo(&["build", "--release", "--locked", "--package", "emberyard", "--package", "xtask"])?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let interrupted = CancellationToken::new();
        // Interrupted, a benchmark fails and takes its yard down, in place of dying at once.
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let _inside = runtime.enter();
            let mut signals = signal(kind).map_err(|error| error.to_string())?;
            let token = interrupted.clone();
            runtime.spawn(async move {
                signals.recv().await;
                token.cancel();
            });
        }
        let program = built("emberyard");
        let images = match images {
            Some(path) => std::path::absolute(path).map_err(|error| error.to_string())?,
            None => crate::tools::cache().join("yard/images"),
        };
        Ok(Self { rounds, program, images, runtime, interrupted })
    }

    /// The program under test.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The image store with what sessions need; what is missing in it is built by the first yard that wants it.
    pub fn images(&self) -> &Path {
        &self.images
    }

    /// Runs to the end, which must be good and come in time; its standard output. Standard error is shown.
    pub fn run(
        &self,
        program: &Path,
        words: &[&str],
        environment: &[(&str, &Path)],
        patience: Duration,
    ) -> Result<String, String> {
        let name = format!("{} {}", program.file_name().unwrap_or_default().to_string_lossy(), words.join(" "));
        let mut command = Command::new(program);
        command
            .args(words)
            // The user's own yard, images and log level are not the benchmark's.
            .env_remove("EMBERYARD_DIR")
            .env_remove("EMBERYARD_IMAGES")
            .env_remove("RUST_LOG")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let output = self.wait(async {
            let ended = async { command.spawn()?.wait_with_output().await };
            tokio::time::timeout(patience, ended).await
        })?;
        let output = output.map_err(|_| format!("`{name}` did not end within {} s", patience.as_secs()))?;
        let output = output.map_err(|error| format!("`{name}`: {error}"))?;
        if !output.status.success() {
            return Err(format!("`{name}` failed: {}", output.status));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Waits for work, unless interrupted.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, String> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.interrupted.cancelled() => Err("interrupted".to_owned()),
                done = work => Ok(done),
            }
        })
    }

    /// Does nothing for a while.
    pub fn pause(&self, time: Duration) -> Result<(), String> {
        self.wait(async { tokio::time::sleep(time).await })
    }

    /// Asks again and again until the answer is yes.
    pub fn until(
        &self,
        what: &str,
        patience: Duration,
        mut holds: impl FnMut() -> Result<bool, String>,
    ) -> Result<(), String> {
        let start = std::time::Instant::now();
        while !holds()? {
            if start.elapsed() > patience {
                return Err(format!("{what}: not after {} s", patience.as_secs()));
            }
            self.pause(Duration::from_millis(100))?;
        }
        Ok(())
    }
}

/// A release binary of this workspace.
pub fn built(name: &str) -> PathBuf {
    crate::root().join(crate::tools::target()).join("release").join(name)
}
