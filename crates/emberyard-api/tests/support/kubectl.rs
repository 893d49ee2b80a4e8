//! An unmodified kubectl. Its path is `EMBERYARD_TEST_KUBECTL`.

use super::Served;
use emberyard_api::kubeconfig;
use std::cell::RefCell;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// See the module.
pub struct Kubectl {
    program: PathBuf,
    home: PathBuf,
    /// What went wrong so far: one run tells everything.
    pub failures: RefCell<Vec<String>>,
}

impl Kubectl {
    /// An administrator's; `None`, and a word of it, where no kubectl is named.
    pub fn new(served: &Served) -> Option<Self> {
        let Ok(program) = std::env::var("EMBERYARD_TEST_KUBECTL") else {
            eprintln!("skipped: EMBERYARD_TEST_KUBECTL does not name a kubectl");
            return None;
        };
        let server = format!("https://{}", served.address);
        let config = kubeconfig::render("yard", &server, served.pki.authority.certificate(), &served.pki.admin);
        kubeconfig::write(&served.dir.join("kubeconfig"), &config).unwrap();
        Some(Self { program: program.into(), home: served.dir.clone(), failures: RefCell::default() })
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(line.split_whitespace())
            .env("KUBECONFIG", self.home.join("kubeconfig"))
            .env("HOME", &self.home)
            .env("SHELL", "/bin/sh")
            .current_dir(&self.home);
        command
    }

    /// Runs and answers success and all output.
    pub fn run(&self, line: &str) -> (bool, String) {
        let output = self.command(line).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    pub fn check(&self, fine: bool, failure: impl FnOnce() -> String) {
        if !fine {
            self.failures.borrow_mut().push(failure());
        }
    }

    pub fn ok(&self, line: &str, wanted: &[&str]) -> String {
        let (success, text) = self.run(line);
        let lacks = wanted.iter().find(|part| !text.contains(**part));
        self.check(success && lacks.is_none(), || format!("kubectl {line} lacks {lacks:?}: {text}"));
        text
    }

    pub fn fails(&self, line: &str, wanted: &str) {
        let (success, text) = self.run(line);
        self.check(!success && text.contains(wanted), || format!("kubectl {line} lacks {wanted:?}: {text}"));
    }

    pub fn piped(&self, line: &str, input: &str, wanted: &str) {
        let mut child =
            self.command(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let fine = output.status.success() && text.contains(wanted);
        self.check(fine, || format!("kubectl {line} lacks {wanted:?}: {text}"));
    }
}
