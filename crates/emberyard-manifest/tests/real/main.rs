//! What the manifest mounts, tried with the real programs: stock PySpark's UI behind the door, stock JupyterLab with our
//! configuration. They need a Python with pyspark and jupyterlab, named by EMBERYARD_TEST_PYTHON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod door;
mod guard;
mod http;
mod jupyter;
mod news;
mod score;
mod settings;
mod start;
mod warm;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// The Python to try with; none, said aloud, when there is none.
fn python(test: &str) -> Option<PathBuf> {
    let python = std::env::var_os("EMBERYARD_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        // Past the capture of the test harness: a skipped test is seen.
        let said = "EMBERYARD_TEST_PYTHON names no Python with pyspark and jupyterlab";
        drop(writeln!(std::io::stderr(), "SKIPPED {test}: {said}"));
    }
    python
}

/// A process that ends with the test, children included.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        use std::os::unix::process::CommandExt as _;
        Self(command.process_group(0).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The whole group: Python starts a JVM, Jupyter starts kernels.
        drop(Command::new("kill").args(["-9", "--", &format!("-{}", self.0.id())]).status());
        drop(self.0.wait());
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Lays out what each kernel loads, in its user's place (/etc is the test machine's own): the folder for IPYTHONDIR.
fn kernel_folder(folder: &Path) -> PathBuf {
    let config = folder.join("ipython/profile_default");
    std::fs::create_dir_all(&config).unwrap();
    for file in objects().pod.unwrap()["spec"]["volumes"].as_array().unwrap() {
        if file["name"] == "ipython" {
            for item in file["configMap"]["items"].as_array().unwrap() {
                let name = item["key"].as_str().unwrap();
                std::fs::write(config.join(name), asset(name)).unwrap();
            }
        }
    }
    folder.join("ipython")
}

fn asset(name: &str) -> String {
    objects().config_map["data"][name].as_str().unwrap().to_owned()
}

fn objects() -> emberyard_manifest::NotebookObjects {
    use emberyard_manifest::{Identity, SessionSettings, build, validate};
    let identity = Identity { namespace: "d".to_owned(), name: "n".to_owned(), uid: "u".to_owned() };
    let session =
        validate(identity, emberyard_model::NotebookSpec::default(), &SessionSettings::new("http://127.0.0.1:1"))
            .unwrap();
    build(&session)
}
