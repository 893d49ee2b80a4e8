//! Automation, all of it in Rust: `cargo xtask check` is the one door. Linux only, like what it checks.

#![cfg(target_os = "linux")]

mod atlas;
mod bench;
mod browser;
mod check;
mod dist;
mod judge;
mod layers;
mod purity;
mod s3;
mod screenshot;
mod tools;
mod umoci;
mod wheel;

use std::process::ExitCode;

const HELP: &str = "cargo xtask WORD

  check [--fast]   everything CI asks: format, lints, layers, licences, docs, unit, golden and journey tests
                   (--fast leaves out licences, docs and the journeys)
  journeys [NAME]  the journey tests alone, or those whose name contains NAME
  judge            the tests that ask a real API server, which is built first (Go 1.26, 5 to 10 minutes); once it is there,
                   `check` runs them, too
  bench NAME ...   measures and writes bench/results/NAME.json and BENCHMARKS.md; names: first-light, up, context, api,
                   memory, hdfs, locality, or all; `page` only remakes the page
                   [--rounds N] [--images DIR: image store to use] [--now: do not wait for a quiet machine]
  browser SCRIPT [ARGUMENT...]
                   runs xtask/browser/SCRIPT with a real Chromium; its pictures go to .cache/pictures
  repack ARCHIVE NAME
                   writes another OCI archive beside it, with a layer that umoci made
  screenshot       remakes README's pictures (docs/images) from a yard of its own
  atlas DATA_DIR   remakes the table of kinds (crates/emberyard-object/data) from what a real API server says of itself
  dist             the static program and its wheel, into target/dist
  wheel PROGRAM DIR  a wheel around a program that is there
  layers           which crate may use which, and what rings 0 and 1 may not touch
";

/// Does what the command line says.
pub fn main() -> ExitCode {
    // The browser and the S3 server of journeys run in sandboxes, whose roles are played by this program.
    let all: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if let Some(code) = emberyard_sandbox::dispatch(&all) {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["check"] => check::run(check::Extent::Full),
        ["check", "--fast"] => check::run(check::Extent::Fast),
        ["judge"] => judge::run(),
        ["journeys"] => check::journeys(""),
        ["journeys", name] => check::journeys(name),
        ["bench", words @ ..] if !words.is_empty() => bench::run(words),
        // What `bench api` runs in release mode.
        ["load", words @ ..] => bench::load::run(words),
        ["browser", script, arguments @ ..] => browser::run(script, arguments),
        ["repack", archive, name] => umoci::repack(archive, name),
        ["screenshot"] => screenshot::run(),
        ["atlas", data] => atlas::run(std::path::Path::new(data)),
        ["dist"] => dist::run(),
        ["wheel", program, folder] => dist::local(program, folder),
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
