//! Everything CI asks, in the order that finds mistakes soonest.

use crate::tools;
use std::process::Command;
use std::time::Instant;

/// Names the folder with a real API server's programs to the tests that ask it.
const REAL_API: &str = "EMBERYARD_TEST_REAL_API";

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Full,
    /// Without licences, documentation and journeys, for the minutes between two edits.
    Fast,
}

/// Bytes that a first whole run takes on the disk: half of it is what is compiled, the rest images, tools and the yards of tests.
const FIRST_RUN: u64 = 12 << 30;

/// Runs the checks one after the other and stops at the first that fails.
pub fn run(extent: Extent) -> Result<(), String> {
    if extent == Extent::Full {
        tell_room();
    }
    step("format", || cargo(&["fmt", "--all", "--", "--check"]))?;
    step("layers", crate::layers::check)?;
    step("pure rings", crate::purity::check)?;
    step("benchmarks page", crate::bench::check_page)?;
    step("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    if extent == Extent::Fast {
        return step("unit and golden tests", || cargo(&["test", "--workspace", "--locked", "--lib", "--bins"]));
    }
    step("documentation", || {
        cargo_with(
            &["doc", "--workspace", "--no-deps", "--locked", "--document-private-items"],
            &[("RUSTDOCFLAGS", "-D warnings".into())],
        )
    })?;
    let kubectl = tools::kubectl()?;
    step("tests", || {
        let judge = crate::judge::built().map(|folder| (REAL_API, folder));
        let environment: Vec<_> = judge.into_iter().chain([("EMBERYARD_TEST_KUBECTL", kubectl)]).collect();
        cargo_with(&["test", "--workspace", "--locked", "--tests"], &environment)
    })?;
    step("licences", || {
        let program = tools::deny()?;
        finish(
            Command::new(program).args(["--locked", "check", "licenses", "bans", "sources"]).current_dir(crate::root()),
        )
    })?;
    journeys("")
}

/// Runs the tests that ask a real API server, whose programs are in this folder.
pub fn judged(folder: std::path::PathBuf) -> Result<(), String> {
    step("a real API server", || {
        cargo_with(&["test", "-p", "emberyard-operator", "--locked", "--test", "judged"], &[(REAL_API, folder)])
    })
}

/// Says beforehand what would otherwise end a first run after minutes, in whichever test comes upon it.
fn tell_room() {
    let free = rustix::fs::statvfs(crate::root()).map_or(u64::MAX, |stat| stat.f_bavail * stat.f_frsize);
    if free < FIRST_RUN {
        eprintln!(
            "== disk: {:.1} GiB are free; a first run takes {}. If it fails for lack of room, free some or clone to a larger disk",
            free as f64 / f64::from(1 << 30),
            FIRST_RUN >> 30
        );
    }
}

/// Runs the journeys whose name contains this, one after the other: each fills both cores of a small machine with JVMs.
pub fn journeys(name: &str) -> Result<(), String> {
    step("journeys", || {
        let journey = tools::journey()?;
        let words = [
            "test",
            "--workspace",
            "--locked",
            "--features",
            "emberyard/journeys",
            "--test",
            "journey",
            "--test",
            "chaos",
            "--",
            "--test-threads=1",
            "--nocapture",
            name,
        ];
        // An empty name filters nothing out.
        cargo_with(&words, &journey.environment)
    })
}

fn step(name: &str, run: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    eprintln!("== {name}");
    let start = Instant::now();
    run().map_err(|text| format!("{name}: {text}"))?;
    eprintln!("== {name}: good, {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Runs cargo in the workspace.
pub fn cargo(arguments: &[&str]) -> Result<(), String> {
    cargo_with(arguments, &[])
}

fn cargo_with(arguments: &[&str], environment: &[(&str, std::path::PathBuf)]) -> Result<(), String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    finish(
        Command::new(program)
            .args(arguments)
            .envs(environment.iter().map(|(name, path)| (name, path)))
            .current_dir(crate::root()),
    )
}

fn finish(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}
