//! `cargo xtask judge`: the tests that ask a real API server, with one that is built here.
//!
//! Kubernetes publishes no binaries in a package registry, but its source as a Go module. Its go.mod replaces its own parts by
//! folders, which a dependent must name again, each at the version that goes with it.

use crate::tools;
use std::path::{Path, PathBuf};
use std::process::Command;

/// kube-apiserver's version; that of its parts is the same with 0 in front.
const KUBERNETES: &str = "1.37.2";
const PARTS: &str = "0.37.2";
const ETCD: &str = "3.6.16";

/// The folder with the programs, once they are built.
pub fn built() -> Option<PathBuf> {
    let folder = tools::cache().join(format!("tools/kubernetes-{KUBERNETES}"));
    ["etcd", "kube-apiserver"].iter().all(|program| folder.join(program).exists()).then_some(folder)
}

/// Builds them where they are missing, and runs the tests.
pub fn run() -> Result<(), String> {
    let folder = match built() {
        Some(folder) => folder,
        None => build()?,
    };
    crate::check::judged(folder)
}

fn build() -> Result<PathBuf, String> {
    eprintln!(
        "   building kube-apiserver {KUBERNETES} and etcd {ETCD} from their Go modules: 5 to 10 minutes of two cores, 3 GB meanwhile"
    );
    let folder = tools::cache().join(format!("tools/kubernetes-{KUBERNETES}"));
    let work = tools::cache().join("judge");
    make(&folder)?;
    let server = format!(
        "module judge\ngo 1.26.0\ngodebug default=go1.26\nrequire k8s.io/kubernetes v{KUBERNETES}\n{}",
        parts(&work)?
    );
    let stamp = format!("-s -w -X k8s.io/component-base/version.gitVersion=v{KUBERNETES}");
    program(
        &work.join("kubernetes"),
        &server,
        &stamp,
        "k8s.io/kubernetes/cmd/kube-apiserver",
        &folder.join("kube-apiserver"),
    )?;
    let store = format!("module judge\ngo 1.26.0\nrequire go.etcd.io/etcd/server/v3 v{ETCD}\n");
    program(&work.join("etcd"), &store, "-s -w", "go.etcd.io/etcd/server/v3", &folder.join("etcd"))?;
    std::fs::remove_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    Ok(folder)
}

/// Kubernetes' own parts, as lines of a go.mod.
fn parts(work: &Path) -> Result<String, String> {
    make(work)?;
    let module = format!("k8s.io/kubernetes@v{KUBERNETES}");
    let output = go(work).args(["mod", "download", "-json", &module]).output().map_err(no_go)?;
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let file = said["GoMod"].as_str().ok_or_else(|| {
        format!(
            "Go can't fetch {module}: {}{}",
            said["Error"].as_str().unwrap_or_default(),
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let names =
        text.lines().filter(|line| line.contains("staging/src")).filter_map(|line| line.split_whitespace().next());
    Ok(names.map(|name| format!("replace {name} => {name} v{PARTS}")).collect::<Vec<_>>().join("\n"))
}

/// Builds one, whole or not at all.
fn program(work: &Path, module: &str, flags: &str, package: &str, to: &Path) -> Result<(), String> {
    make(work)?;
    let wrong = |error: std::io::Error| format!("{}: {error}", to.display());
    std::fs::write(work.join("go.mod"), module).map_err(wrong)?;
    let part = to.with_extension("part");
    let words = ["build", "-mod=mod", "-trimpath", "-ldflags", flags, "-o"];
    let status = go(work).args(words).arg(&part).arg(package).status().map_err(no_go)?;
    if !status.success() {
        return Err(format!("{package} can't be built"));
    }
    std::fs::rename(&part, to).map_err(wrong)
}

fn go(work: &Path) -> Command {
    let mut command = Command::new("go");
    // What is compiled in between goes with the work; nothing of it is needed again.
    let cache = tools::cache().join("judge/cache");
    command.current_dir(work).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local").env("GOCACHE", cache);
    command
}

fn make(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn no_go(error: std::io::Error) -> String {
    format!("a real API server is built with Go 1.26, which can't be started: {error}; see https://go.dev/doc/install")
}
