//! Automation, all of it in Rust: `cargo xtask check` is the one door.

mod atlas;
mod browser;
mod check;
mod layers;
mod purity;
mod screenshot;
mod tools;

use std::process::ExitCode;

const HELP: &str = "cargo xtask WORD

  check [--fast]   everything CI asks: format, lints, layers, licences, docs, unit, golden and journey tests
                   (--fast leaves out licences and the journeys)
  browser SCRIPT [ARGUMENT...]
                   runs xtask/browser/SCRIPT with a real Chromium; its pictures go to .cache/pictures
  screenshot       remakes README's pictures (docs/images) from a yard of its own
  atlas DATA_DIR   remakes the table of kinds (crates/emberyard-object/data) from what a real API server says of itself
  layers           which crate may use which, and what rings 0 and 1 may not touch
";

fn main() -> ExitCode {
    // The browser runs in a sandbox, whose roles are played by this program executed again.
    if let Some(code) = emberyard_sandbox::dispatch(&std::env::args_os().collect::<Vec<_>>()) {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["check"] => check::run(check::Extent::Full),
        ["check", "--fast"] => check::run(check::Extent::Fast),
        ["atlas", data] => atlas::run(std::path::Path::new(data)),
        ["browser", script, arguments @ ..] => browser::run(script, arguments),
        ["screenshot"] => screenshot::run(),
        ["layers"] => layers::check().and_then(|()| purity::check()),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("xtask: {text}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> std::path::PathBuf {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}
