//! runc and umoci from Debian's packages: they start what `emberyard image export` wrote, and write what `image import` gets. They
//! know nothing of us.

use crate::browser::shown;
use crate::tools::{Quiet, Temporary, cache};
use emberyard_image::{BuildOptions, Recipe, Resolved, Store, build};
use emberyard_sandbox::{Root, RunSpec, run_in_root};
use std::io::Write;
use std::path::Path;

/// Where the archives' folder is inside.
const ARCHIVES: &str = "/archives";
const RUN: &str = include_str!("../runtime/run.sh");
const REPACK: &str = include_str!("../runtime/repack.sh");

/// Unpacks an OCI archive, and runs a command in what came out; what it prints goes to standard output.
pub fn run(archive: &str, command: &[&str]) -> Result<(), String> {
    let (folder, name) = place(archive)?;
    played(folder, RUN, &[&[name.as_str()], command].concat())
}

/// Writes another archive beside an OCI archive, with one more layer.
pub fn repack(archive: &str, other: &str) -> Result<(), String> {
    let (folder, name) = place(archive)?;
    played(folder, REPACK, &[&name, &format!("{ARCHIVES}/{other}")])
}

/// An archive's folder, and its path inside.
fn place(archive: &str) -> Result<(&Path, String), String> {
    let path = Path::new(archive);
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok((folder, format!("{ARCHIVES}/{}", name.to_string_lossy()))),
        _ => Err(format!("{archive} is no file")),
    }
}

fn played(folder: &Path, script: &str, words: &[&str]) -> Result<(), String> {
    let image = image()?;
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let scratch = Temporary::new("runtime")?;
    let argv = ["bash", "-euc", script, "runtime"].iter().chain(words).map(|&word| word.to_owned()).collect();
    let spec = RunSpec {
        root: Root::Layers { lowers: image.lowers, scratch: scratch.path().join("root") },
        argv,
        env: image.config.env.into_iter().collect(),
        cwd: "/".into(),
        mounts: vec![shown(&folder, ARCHIVES, false)],
        host_network_files: false,
    };
    let mut tell = |line: &str| {
        // A reader that went away is no error.
        let _ = writeln!(std::io::stdout(), "{line}");
    };
    let status = run_in_root(&spec, &mut tell).map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{}: exit code {}", words.join(" "), status.code)) }
}

/// Builds the image with both if it is not there already.
fn image() -> Result<Resolved, String> {
    let failed = |error: &dyn std::fmt::Display| format!("the runtime's image: {error}");
    let recipe = Recipe::load(&crate::root().join("xtask/runtime/runtime.toml")).map_err(|error| failed(&error))?;
    let store = Store::open(&cache().join("browser")).map_err(|error| failed(&error))?;
    let options = BuildOptions { cache_dir: cache(), again: false, newest: false };
    build(&store, &recipe, &mut Quiet, &options).map_err(|error| failed(&error))?;
    store.resolve(&recipe.name).map_err(|error| failed(&error))
}
