//! Everything CI asks, in the order that finds mistakes soonest.

use std::process::Command;
use std::time::Instant;

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Full,
    /// Without licences and journeys, for the minutes between two edits.
    Fast,
}

/// Runs the checks one after the other and stops at the first that fails.
pub fn run(extent: Extent) -> Result<(), String> {
    step("format", || cargo(&["fmt", "--all", "--", "--check"]))?;
    step("layers", crate::layers::check)?;
    step("pure rings", crate::purity::check)?;
    step("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    step("unit and golden tests", || cargo(&["test", "--workspace", "--locked", "--lib", "--bins"]))?;
    if extent == Extent::Full {
        step("integration and journey tests", || cargo(&["test", "--workspace", "--locked", "--tests"]))?;
    }
    Ok(())
}

fn step(name: &str, run: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    eprintln!("== {name}");
    let start = Instant::now();
    run().map_err(|text| format!("{name}: {text}"))?;
    eprintln!("== {name}: good, {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program)
        .args(arguments)
        .current_dir(crate::root())
        .status()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {} failed", arguments.join(" "))) }
}
