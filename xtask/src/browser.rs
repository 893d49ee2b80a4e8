//! A real Chromium for journeys and pictures, from Debian's and npm's packages: nothing is installed on the machine.
//!
//! A script (`xtask/browser/*.mjs`) runs in an image of its own, but on the machine's network: it sees what the user's
//! browser would see at 127.0.0.1.

use crate::tools::{self, Temporary, cache};
use emberyard_image::Resolved;
use emberyard_sandbox::{MountSource, MountSpec, Owner, Root, RunSpec, run_in_root};
use std::path::{Path, PathBuf};

/// Scripts lie below the folder where npm's packages are, so that they find them.
const SCRIPTS: &str = "/opt/npm/scripts";
/// Where scripts put pictures.
const PICTURES: &str = "/pictures";

/// Builds the image if it is not there already (170 MB of downloads).
pub fn image() -> Result<Resolved, String> {
    tools::image(&scripts().join("browser.toml"))
}

/// Runs a script to its end; what it prints goes to standard error.
pub fn run(script: &str, arguments: &[&str]) -> Result<(), String> {
    let image = image()?;
    let pictures = pictures();
    std::fs::create_dir_all(&pictures).map_err(|error| format!("{}: {error}", pictures.display()))?;
    let scratch = Temporary::new("browser")?;
    let mut argv = vec!["node".to_owned(), format!("{SCRIPTS}/{script}")];
    argv.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let mut env = image.config.env;
    env.insert("HOME".to_owned(), "/root".to_owned());
    let spec = RunSpec {
        root: Root::Layers { lowers: image.lowers, scratch: scratch.path().join("root") },
        argv,
        env: env.into_iter().collect(),
        cwd: PICTURES.into(),
        mounts: vec![shown(&scripts(), SCRIPTS, true), shown(&pictures, PICTURES, false)],
        host_network_files: false,
    };
    let status =
        run_in_root(&spec, &mut |line| eprintln!("   {line}")).map_err(|error| format!("{script}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{script} failed; pictures: {}", pictures.display())) }
}

/// A folder of the machine as it is seen inside.
pub fn shown(folder: &Path, target: &str, read_only: bool) -> MountSpec {
    let source = MountSource::Bind { path: folder.to_owned(), sub_path: None, owner: Owner::Machine };
    MountSpec { target: target.into(), source, read_only }
}

/// Where pictures that scripts make are found afterwards.
pub fn pictures() -> PathBuf {
    cache().join("pictures")
}

fn scripts() -> PathBuf {
    crate::root().join("xtask/browser")
}
