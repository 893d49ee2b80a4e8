//! Everything CI asks, in the order that finds mistakes soonest.

use crate::tools;
use std::process::Command;
use std::time::Instant;

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Full,
    /// Without licences, documentation and journeys, for the minutes between two edits.
    Fast,
}

/// Runs the checks one after the other and stops at the first that fails.
pub fn run(extent: Extent) -> Result<(), String> {
    step("format", || cargo(&["fmt", "--all", "--", "--check"]))?;
    step("layers", crate::layers::check)?;
    step("pure rings", crate::purity::check)?;
    step("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    if extent == Extent::Fast {
        return step("unit and golden tests", || cargo(&["test", "--workspace", "--locked", "--lib", "--bins"]));
    }
    let kubectl = tools::kubectl()?;
    step("tests", || {
        cargo_with(&["test", "--workspace", "--locked", "--tests"], &[("EMBERYARD_TEST_KUBECTL", kubectl)])
    })?;
    step("licences", || {
        let program = tools::deny()?;
        finish(
            Command::new(program).args(["--locked", "check", "licenses", "bans", "sources"]).current_dir(crate::root()),
        )
    })?;
    step("journeys", || {
        let journey = tools::journey()?;
        // One after the other: each fills both cores of a small machine with JVMs.
        let words = [
            "test",
            "--workspace",
            "--locked",
            "--features",
            "emberyard/journeys",
            "--test",
            "journey",
            "--test",
            "warm",
            "--",
            "--test-threads=1",
            "--nocapture",
        ];
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
