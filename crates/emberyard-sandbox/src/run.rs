//! Running one command in a root file system of its own: image builds.

use crate::error::{Context, Result, SandboxError};
use crate::failure::Failure;
use crate::pod::MountSpec;
use crate::role::{self, Answer, Started};
use crate::run_role::RUN;
use rustix::pipe::{PipeFlags, pipe_with};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

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

/// Longest piece of a line handed on at once, bytes.
const LONGEST_LINE: usize = 16 << 10;

/// A command that runs. Dropping it kills the command and all it started.
pub struct Running {
    /// Both are there until the end.
    started: Option<Started>,
    output: BufReader<File>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("pid", &self.started.as_ref().map(|one| one.child.id())).finish_non_exhaustive()
    }
}

/// Starts the command; standard output and error come as one stream of lines. Why it could not be started says [`Running::wait`].
pub fn start_in_root(spec: &RunSpec) -> Result<Running> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).context(|| "pipe".to_owned())?;
    let started = role::start(RUN, Path::new(""), spec, &[writer.as_fd()])?;
    Ok(Running { started: Some(started), output: BufReader::new(File::from(reader)) })
}

impl Running {
    /// The next line of output without its newline (invalid UTF-8 replaced, cut at 16 KiB); `None` at the end.
    pub fn next_line(&mut self) -> Result<Option<String>> {
        let mut line = Vec::new();
        loop {
            let buffered = self.output.fill_buf().context(|| "output of a command".to_owned())?;
            let end = buffered.iter().position(|byte| *byte == b'\n');
            let take = end.unwrap_or(buffered.len()).min(LONGEST_LINE - line.len());
            line.extend_from_slice(&buffered[..take]);
            let ended = buffered.is_empty();
            let whole = end == Some(take);
            self.output.consume(take + usize::from(whole));
            if whole || line.len() == LONGEST_LINE || (ended && !line.is_empty()) {
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            if ended {
                return Ok(None);
            }
        }
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Result<ExitStatus> {
        let Some(mut started) = self.started.take() else { return Err(ended_silently()) };
        // Its output must not fill the pipe and stop it.
        while self.next_line()?.is_some() {}
        let answer = started.channel.receive::<Answer<i32>>().context(|| "end of a command".to_owned())?;
        started.child.wait().context(|| "end of a command".to_owned())?;
        match answer {
            Some(Answer::Done(code)) => Ok(ExitStatus { code }),
            Some(Answer::Failed(failure)) => Err(failure.into()),
            None => Err(ended_silently()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(Started { mut child, channel }) = self.started.take() {
            // Hanging up is the sign to kill everything.
            drop(channel);
            let _ended = child.wait();
        }
    }
}

fn ended_silently() -> SandboxError {
    Failure::new("run", "it was killed").into()
}

/// Runs the command to its end, handing each line of output to `line`.
pub fn run_in_root(spec: &RunSpec, line: &mut dyn FnMut(&str)) -> Result<ExitStatus> {
    let mut running = start_in_root(spec)?;
    while let Some(text) = running.next_line()? {
        line(&text);
    }
    running.wait()
}
