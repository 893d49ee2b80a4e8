//! runc and umoci from Debian's packages, which start what `emberyard image export` wrote: they know nothing of us.

use crate::browser::shown;
use crate::tools::{Quiet, Temporary, cache};
use emberyard_image::{BuildOptions, Recipe, Resolved, Store, build};
use emberyard_sandbox::{Root, RunSpec, run_in_root};
use std::io::Write;
use std::path::Path;

/// Where the archive's folder is inside.
const ARCHIVES: &str = "/archives";
const SCRIPT: &str = include_str!("../runtime/run.sh");

/// Unpacks an OCI archive, and runs a command in what came out; what it prints goes to standard output.
pub fn run(archive: &Path, command: &[&str]) -> Result<(), String> {
    let image = image()?;
    let archive = archive.canonicalize().map_err(|error| format!("{}: {error}", archive.display()))?;
    let (Some(folder), Some(name)) = (archive.parent(), archive.file_name()) else {
        return Err(format!("{} is no file", archive.display()));
    };
    let scratch = Temporary::new("runtime")?;
    let mut argv = ["bash", "-euc", SCRIPT, "run"].map(str::to_owned).to_vec();
    argv.push(format!("{ARCHIVES}/{}", name.to_string_lossy()));
    argv.extend(command.iter().map(|&word| word.to_owned()));
    let spec = RunSpec {
        root: Root::Layers { lowers: image.lowers, scratch: scratch.path().join("root") },
        argv,
        env: image.config.env.into_iter().collect(),
        cwd: "/".into(),
        mounts: vec![shown(folder, ARCHIVES, true)],
        host_network_files: false,
    };
    let status = run_in_root(&spec, &mut |line| {
        // A reader that went away is no error.
        let _ = writeln!(std::io::stdout(), "{line}");
    })
    .map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{} in runc: exit code {}", command.join(" "), status.code)) }
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
