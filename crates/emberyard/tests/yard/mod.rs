//! A real yard for tests: its own folder, its own ports, real pods; nothing of it is left afterwards.

pub mod forward;
pub mod http;
pub mod leftovers;
pub mod proxy;

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A running yard.
pub struct Yard {
    folder: tempfile::TempDir,
    state: PathBuf,
    /// The user's own folder, which JupyterLab opens on.
    pub files: PathBuf,
    /// Who runs the yard, if not the one who tests.
    pub owner: Option<u32>,
}

/// As whom a journey is played: as the one who tests and, where that is root, as somebody else, too.
pub fn owners() -> Vec<Option<u32>> {
    let others = rustix::process::geteuid().is_root().then_some(Some(12345));
    std::iter::once(None).chain(others).collect()
}

/// Where tools and images of tests are: made by `cargo xtask tools` and `cargo xtask images`, told by the
/// environment. Without them journeys can't run, and say so.
pub fn needed(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run journeys through `cargo xtask check`"))
}

impl Yard {
    /// Starts a yard as the user who runs the tests.
    pub fn up(arguments: &[&str]) -> Self {
        Self::up_as(None, arguments)
    }

    /// Starts a yard, as another user if one is given (only root can).
    pub fn up_as(owner: Option<u32>, arguments: &[&str]) -> Self {
        let yard = Self::at(owner, "");
        yard.up_again(arguments);
        yard
    }

    /// A yard that does not run yet; its state will be in a folder below `place`.
    pub fn at(owner: Option<u32>, place: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("yard").tempdir().unwrap();
        let yard =
            Self { state: folder.path().join(place).join("state"), files: folder.path().join("files"), folder, owner };
        for path in [yard.folder.path(), &yard.files, &yard.temporary(), yard.beside()] {
            std::fs::create_dir_all(path).unwrap();
            yard.give(path);
        }
        yard
    }

    /// Makes a file or folder the owner's.
    pub fn give(&self, path: &Path) {
        if let Some(uid) = self.owner {
            std::os::unix::fs::chown(path, Some(uid), Some(uid)).unwrap();
        }
    }

    /// Starts it, or what is down of it.
    pub fn up_again(&self, arguments: &[&str]) {
        let files = self.files.display().to_string();
        let mut words = vec!["up", &files, "--detach", "--no-browser"];
        words.extend(arguments);
        let output = self.holding_a_file(&words).output().unwrap();
        assert!(output.status.success(), "up failed:\n{}\n{}", text(&output), self.logs());
        let holders: Vec<String> = self.pids().into_iter().filter(|pid| holds(pid, &self.held())).collect();
        assert_eq!(holders, Vec::<String>::new(), "a descriptor of whoever typed `up` lives on");
    }

    /// The program under test, started by somebody who has a file open, as `flock` has.
    fn holding_a_file(&self, words: &[&str]) -> Command {
        let program = self.prepared(words);
        let mut command = self.command(Path::new("sh"));
        command.args(["-c", "exec 9> \"$0\"; exec \"$@\""]).arg(self.held());
        command.arg(self.program()).args(words).stdin(Stdio::null());
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    fn held(&self) -> PathBuf {
        self.files.join("held")
    }

    /// The program under test.
    pub fn program(&self) -> PathBuf {
        match self.owner {
            Some(_) => needed("EMBERYARD_TEST_BINARY").into(),
            None => PathBuf::from(env!("CARGO_BIN_EXE_emberyard")),
        }
    }

    /// The yard's state folder.
    pub fn dir(&self) -> PathBuf {
        self.state.clone()
    }

    /// The folder that holds the state folder.
    fn beside(&self) -> &Path {
        self.state.parent().unwrap()
    }

    /// Where programs of the yard find their `TMPDIR`.
    fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    fn command(&self, program: &Path) -> Command {
        let Some(uid) = self.owner else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        let uid = uid.to_string();
        command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--"]).arg(program);
        command
    }

    /// Runs the program under test.
    pub fn emberyard(&self, words: &[&str]) -> Output {
        self.prepared(words).output().unwrap()
    }

    fn prepared(&self, words: &[&str]) -> Command {
        self.prepared_with(&self.program(), words)
    }

    /// A program of ours that knows this yard, to be started.
    pub fn prepared_with(&self, program: &Path, words: &[&str]) -> Command {
        let images =
            needed(if self.owner.is_some() { "EMBERYARD_TEST_IMAGES_ROOTLESS" } else { "EMBERYARD_TEST_IMAGES" });
        let mut command = self.command(program);
        command
            .args(words)
            .env("EMBERYARD_DIR", self.dir())
            .env("EMBERYARD_IMAGES", images)
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.temporary())
            .stdin(Stdio::null());
        command
    }

    /// The real kubectl, to be started.
    pub fn kubectl_command(&self, words: &[&str]) -> Command {
        let kubectl = if self.owner.is_some() { "EMBERYARD_TEST_KUBECTL_ROOTLESS" } else { "EMBERYARD_TEST_KUBECTL" };
        let mut command = self.command(Path::new(&needed(kubectl)));
        command
            .args(words)
            .env("KUBECONFIG", self.dir().join("kubeconfig"))
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the real kubectl.
    pub fn kubectl(&self, words: &[&str]) -> Output {
        self.kubectl_command(words).output().unwrap()
    }

    /// Runs kubectl, which must succeed; its standard output.
    pub fn kubectl_ok(&self, words: &[&str]) -> String {
        let output = self.kubectl(words);
        assert!(output.status.success(), "kubectl {words:?}:\n{}", text(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts code in a kernel of the notebook; it goes on while the test looks at the cluster.
    pub fn start(&self, code: &str) -> Running<'_> {
        self.start_in("my-pyspark-notebook", code)
    }

    /// The same in a notebook of this name.
    pub fn start_in(&self, notebook: &str, code: &str) -> Running<'_> {
        self.start_file(notebook, &format!("{notebook}.py"), code)
    }

    /// Starts cells in a kernel of the notebook, one after the other.
    pub fn start_cells(&self, cells: &[&str]) -> Running<'_> {
        let cells: Vec<Value> = cells
            .iter()
            .map(|code| json!({"cell_type": "code", "metadata": {}, "execution_count": null, "outputs": [], "source": code}))
            .collect();
        let notebook = json!({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells});
        self.start_file("my-pyspark-notebook", "cells.ipynb", &notebook.to_string())
    }

    fn start_file(&self, notebook: &str, name: &str, text: &str) -> Running<'_> {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        self.give(&file);
        let mut command =
            self.prepared(&["notebook", "run", notebook, &file.display().to_string(), "--timeout", "400"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { child: Some(child), yard: self }
    }

    /// Runs code to its end, which must be good; what it printed.
    pub fn run(&self, code: &str) -> String {
        self.start(code).finish()
    }

    /// Python that waits until the test says [`Yard::go`].
    pub fn pause(&self, name: &str) -> String {
        let file = self.files.join(name);
        format!("\nimport os, time\nwhile not os.path.exists('{}'): time.sleep(0.1)\n", file.display())
    }

    /// Lets code go on that pauses.
    pub fn go(&self, name: &str) {
        std::fs::write(self.files.join(name), "").unwrap();
    }

    /// Waits until `check` is satisfied; on time-out says what it saw last.
    pub fn until(&self, what: &str, patience: Duration, mut check: impl FnMut() -> Result<(), String>) {
        let start = Instant::now();
        loop {
            match check() {
                Ok(()) => return,
                Err(seen) if start.elapsed() > patience => {
                    panic!("{what}: not after {patience:?}; last: {seen}\n{}", self.logs())
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// Ends of the yard's logs, for a failing test's message.
    pub fn logs(&self) -> String {
        let Ok(entries) = std::fs::read_dir(self.dir().join("log")) else { return String::new() };
        let mut logs = String::new();
        for entry in entries.flatten() {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let end = lines[lines.len().saturating_sub(25)..].join("\n");
            let _ = writeln!(logs, "--- {}\n{end}", entry.path().display());
        }
        logs
    }

    /// The keeper's process.
    pub fn keeper(&self) -> String {
        self.process("keeper")
    }

    /// The process that plays this part (`keeper`, `operator`), found by its command line.
    pub fn process(&self, part: &str) -> String {
        let wanted = format!("--dir\0{}\0{part}\0", self.dir().display());
        let found = |entry: &std::fs::DirEntry| {
            std::fs::read_to_string(entry.path().join("cmdline")).is_ok_and(|line| line.ends_with(&wanted))
        };
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.filter(found).map(|entry| entry.file_name().to_string_lossy().into_owned()).next().unwrap()
    }

    /// Ends the yard and checks that nothing of it is left but the user's folder.
    pub fn down(&self) {
        let traces = self.traces();
        let output = self.emberyard(&["down", "--purge", "--yes"]);
        assert!(output.status.success(), "down failed:\n{}", text(&output));
        self.nothing_left_of(&traces);
    }
}

/// Code that runs in a kernel.
pub struct Running<'a> {
    child: Option<std::process::Child>,
    yard: &'a Yard,
}

impl Running<'_> {
    /// Waits for its end, which must be good; what it printed.
    pub fn finish(mut self) -> String {
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        assert!(output.status.success(), "the code failed:\n{}\n{}", text(&output), self.yard.logs());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        let _ = self.emberyard(&["down", "--purge", "--yes"]);
    }
}

/// Both streams of a process.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whether a process has a file open.
fn holds(pid: &str, file: &Path) -> bool {
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    descriptors.map(|descriptor| descriptor.path()).any(|link| std::fs::read_link(link).is_ok_and(|open| open == file))
}

/// SIGKILL.
pub fn kill(pid: &str) {
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
