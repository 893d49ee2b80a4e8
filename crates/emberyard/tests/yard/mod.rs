//! A real yard for tests: its own folder, its own ports, real pods; nothing of it is left afterwards.

// Each program of journeys needs a part of it.
#![allow(dead_code)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A running yard.
pub struct Yard {
    folder: tempfile::TempDir,
    /// The user's own folder, which JupyterLab opens on.
    pub files: PathBuf,
    /// Who runs the yard, if not the one who tests.
    pub owner: Option<u32>,
}

/// Where tools and images of tests are: made by `cargo xtask tools` and `cargo xtask images`, told by the
/// environment. Without them journeys can't run, and say so.
fn needed(name: &str) -> PathBuf {
    let path = std::env::var_os(name).map(PathBuf::from);
    path.filter(|path| path.exists())
        .unwrap_or_else(|| panic!("{name} is not set: run journeys through `cargo xtask check`"))
}

impl Yard {
    /// Starts a yard as the user who runs the tests.
    pub fn up(arguments: &[&str]) -> Self {
        Self::up_as(None, arguments)
    }

    /// Starts a yard, as another user if one is given (only root can).
    pub fn up_as(owner: Option<u32>, arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("yard").tempdir().unwrap();
        let files = folder.path().join("files");
        std::fs::create_dir(&files).unwrap();
        if let Some(uid) = owner {
            for path in [folder.path(), files.as_path()] {
                std::os::unix::fs::chown(path, Some(uid), Some(uid)).unwrap();
            }
        }
        let yard = Self { folder, files, owner };
        let files = yard.files.display().to_string();
        let mut words = vec!["up", &files, "--detach", "--no-browser"];
        words.extend(arguments);
        let output = yard.emberyard(&words);
        assert!(output.status.success(), "up failed:\n{}\n{}", text(&output), yard.logs());
        yard
    }

    /// The yard's state folder.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("state")
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
        let images =
            needed(if self.owner.is_some() { "EMBERYARD_TEST_IMAGES_ROOTLESS" } else { "EMBERYARD_TEST_IMAGES" });
        let program = match self.owner {
            Some(_) => needed("EMBERYARD_TEST_BINARY"),
            None => PathBuf::from(env!("CARGO_BIN_EXE_emberyard")),
        };
        let mut command = self.command(&program);
        command
            .args(words)
            .env("EMBERYARD_DIR", self.dir())
            .env("EMBERYARD_IMAGES", images)
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the real kubectl.
    pub fn kubectl(&self, words: &[&str]) -> Output {
        let kubectl = if self.owner.is_some() { "EMBERYARD_TEST_KUBECTL_ROOTLESS" } else { "EMBERYARD_TEST_KUBECTL" };
        self.command(&needed(kubectl))
            .args(words)
            .env("KUBECONFIG", self.dir().join("kubeconfig"))
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs kubectl, which must succeed; its standard output.
    pub fn kubectl_ok(&self, words: &[&str]) -> String {
        let output = self.kubectl(words);
        assert!(output.status.success(), "kubectl {words:?}:\n{}", text(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts code in a kernel of the notebook; it goes on while the test looks at the cluster.
    pub fn start(&self, code: &str) -> Running<'_> {
        let file = self.folder.path().join("code.py");
        std::fs::write(&file, code).unwrap();
        if let Some(uid) = self.owner {
            std::os::unix::fs::chown(&file, Some(uid), Some(uid)).unwrap();
        }
        let mut command =
            self.prepared(&["notebook", "run", "my-pyspark-notebook", &file.display().to_string(), "--timeout", "400"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { child: Some(child), yard: self }
    }

    /// Runs code to its end, which must be good; what it printed.
    pub fn run(&self, code: &str) -> String {
        self.start(code).finish()
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

    /// The keeper's process, found by its command line.
    pub fn keeper(&self) -> String {
        let wanted = format!("--dir\0{}\0keeper\0", self.dir().display());
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let mut keepers = processes.filter(|entry| {
            std::fs::read_to_string(entry.path().join("cmdline")).is_ok_and(|line| line.ends_with(&wanted))
        });
        keepers.next().unwrap().file_name().to_string_lossy().into_owned()
    }

    /// Processes that carry this yard's mark.
    pub fn processes(&self) -> Vec<String> {
        let mark = format!("EMBERYARD_YARD={}", self.dir().display());
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
            if environment.split(|byte| *byte == 0).any(|pair| pair == mark.as_bytes()) {
                found
                    .push(std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default().replace('\0', " "));
            }
        }
        found
    }

    /// Ends the yard and checks that nothing of it is left but the user's folder.
    pub fn down(&self) {
        let output = self.emberyard(&["down", "--purge", "--yes"]);
        assert!(output.status.success(), "down failed:\n{}", text(&output));
        assert_eq!(self.processes(), Vec::<String>::new(), "processes left");
        assert!(!self.dir().exists(), "the state folder is left");
        assert!(self.files.exists(), "the user's folder is gone");
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

/// SIGKILL.
pub fn kill(pid: &str) {
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
