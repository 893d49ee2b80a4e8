//! Builds an image by hand: `cargo run -p emberyard-image --example build -- STORE CACHE [NAME|RECIPE.toml]`.

use emberyard_image::{BuildOptions, Progress, Recipe, Stage, Store, build, recipes};
use emberyard_model::Explained;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

struct Lines {
    began: Instant,
    shown: Instant,
}

impl Progress for Lines {
    fn stage(&mut self, stage: &Stage) {
        self.say(&format!("{}/{} {}", stage.step, stage.of, stage.title));
    }

    fn bytes(&mut self, done: u64, total: Option<u64>) {
        if self.shown.elapsed().as_secs() >= 2 {
            self.shown = Instant::now();
            let total = total.map(|total| format!(" of {}", total >> 20)).unwrap_or_default();
            self.say(&format!("    {}{total} MiB", done >> 20));
        }
    }

    fn note(&mut self, text: &str) {
        self.say(&format!("    note: {text}"));
    }
}

impl Lines {
    fn say(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{:7.1} {text}", self.began.elapsed().as_secs_f64());
    }
}

fn main() -> ExitCode {
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if let Some(code) = emberyard_sandbox::dispatch(&args) {
        return code;
    }
    let [_, store, cache, rest @ ..] = args.as_slice() else {
        let _ = writeln!(std::io::stderr(), "usage: build STORE CACHE [NAME|RECIPE.toml]");
        return ExitCode::from(2);
    };
    let name = rest.first().and_then(|name| name.to_str()).unwrap_or("pyspark-notebook");
    let mut progress = Lines { began: Instant::now(), shown: Instant::now() };
    let done = recipe(name).and_then(|recipe| {
        let options = BuildOptions { cache_dir: PathBuf::from(cache), again: false, newest: false };
        build(&Store::open(Path::new(store))?, &recipe, &mut progress, &options)
    });
    match done {
        Ok(image) => {
            progress.say(&format!("{} {} {} MiB", image.name, image.id, image.bytes >> 20));
            ExitCode::SUCCESS
        }
        Err(error) => {
            progress.say(&error.explain());
            ExitCode::FAILURE
        }
    }
}

fn recipe(name: &str) -> Result<Recipe, emberyard_image::ImageError> {
    match recipes::find(name) {
        Some(recipe) => Ok(recipe),
        None => Recipe::load(Path::new(name)),
    }
}
