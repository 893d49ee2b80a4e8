//! Makes the locks of the built-in recipes anew: `cargo run -p emberyard-image --example lock -- STORE CACHE [NAME…]`,
//! all without a NAME. A recipe's image below must be built first; the locks of other architectures are made on such a machine.

use emberyard_image::{BuildOptions, Recipe, Silent, Store, lock, recipes};
use emberyard_model::Explained;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if let Some(code) = emberyard_sandbox::dispatch(&args) {
        return code;
    }
    let [_, store, cache, names @ ..] = args.as_slice() else {
        let _ = writeln!(std::io::stderr(), "usage: lock STORE CACHE [NAME…]");
        return ExitCode::from(2);
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    let options = BuildOptions { cache_dir: PathBuf::from(cache), again: false, newest: true };
    let asked = |recipe: &Recipe| names.is_empty() || names.iter().any(|name| *name == *recipe.name);
    for recipe in recipes::builtin().into_iter().filter(asked) {
        let locks = Store::open(Path::new(store)).and_then(|store| lock(&store, &recipe, &mut Silent, &options));
        let locks = match locks {
            Ok(locks) => locks,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "{}", error.explain());
                return ExitCode::FAILURE;
            }
        };
        for lock in locks {
            let file = folder.join(lock.file(&recipe));
            if let Err(error) = std::fs::write(&file, lock.text) {
                let _ = writeln!(std::io::stderr(), "{}: {error}", file.display());
                return ExitCode::FAILURE;
            }
            let _ = writeln!(std::io::stderr(), "{}", file.display());
        }
    }
    ExitCode::SUCCESS
}
