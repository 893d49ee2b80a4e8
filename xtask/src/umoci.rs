//! umoci from Debian's packages: it reads what `emberyard image export` wrote, and writes what `image import` gets. It knows nothing
//! of us.

use crate::browser::shown;
use crate::tools::{self, Temporary};
use emberyard_sandbox::{Root, RunSpec, run_in_root};
use std::path::Path;

/// Where the archives' folder is inside.
const ARCHIVES: &str = "/archives";
const REPACK: &str = include_str!("../umoci/repack.sh");

/// Writes another archive beside an OCI archive, with one more layer.
pub fn repack(archive: &str, other: &str) -> Result<(), String> {
    let path = Path::new(archive).canonicalize().map_err(|error| format!("{archive}: {error}"))?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(format!("{archive} is no file"));
    };
    let image = tools::image(&crate::root().join("xtask/umoci/umoci.toml"))?;
    let scratch = Temporary::new("umoci")?;
    let inside = |name: &str| format!("{ARCHIVES}/{name}");
    let mut argv = ["bash", "-euc", REPACK, "repack"].map(str::to_owned).to_vec();
    argv.extend([inside(&name.to_string_lossy()), inside(other)]);
    let spec = RunSpec {
        root: Root::Layers { lowers: image.lowers, scratch: scratch.path().join("root") },
        argv,
        env: image.config.env.into_iter().collect(),
        cwd: "/".into(),
        mounts: vec![shown(folder, ARCHIVES, false)],
        host_network_files: false,
    };
    let status = run_in_root(&spec, &mut |line| eprintln!("   {line}")).map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("umoci ended with exit code {}", status.code)) }
}
