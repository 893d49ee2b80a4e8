//! The sandbox with real processes: as root where the tests run as root, and always as a user without rights. The program
//! is its own harness, as the sandbox executes it again for its roles.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A test fails by panicking and reports by printing.

mod containers;
mod exec;
mod holders;
mod limits;
mod mounts;
mod places;
mod pods;
mod runs;
mod world;

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use world::World;

/// Name and body of a test.
pub type Test = (&'static str, fn(&World));

/// An unnamed uid that is not the overflow uid.
const NOBODY_SPECIAL: u32 = 12_345;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = emberyard_sandbox::dispatch(&args) {
        return code;
    }
    if let [_, flag, dir] = &args[..]
        && flag == "--agent"
    {
        pods::play_agent(&World::at(dir.into()));
        return ExitCode::SUCCESS;
    }
    let filters: Vec<String> = args[1..]
        .iter()
        .filter_map(|arg| arg.to_str())
        .filter(|arg| !arg.starts_with('-'))
        .map(str::to_owned)
        .collect();
    if args.iter().any(|arg| arg == "--list") {
        return ExitCode::SUCCESS;
    }
    let tests = [
        holders::TESTS,
        places::TESTS,
        pods::TESTS,
        containers::TESTS,
        exec::TESTS,
        mounts::TESTS,
        limits::TESTS,
        runs::TESTS,
    ]
    .concat();
    let mut failed = 0;
    for (name, test) in tests {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        let world = World::new();
        let started = std::time::Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&world)));
        let left = world.end();
        let verdict = if outcome.is_err() || left > 0 { "FAILED" } else { "ok" };
        println!(
            "uid {} {name} ... {verdict} ({} ms)",
            rustix::process::geteuid().as_raw(),
            started.elapsed().as_millis()
        );
        if left > 0 {
            println!("  {left} processes were left");
        }
        failed += usize::from(verdict == "FAILED");
    }
    if rustix::process::geteuid().is_root() && !again_without_rights(&filters) {
        failed += 1;
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the same tests as an unprivileged user, from a copy that this user can read.
fn again_without_rights(filters: &[String]) -> bool {
    let folder =
        tempfile::Builder::new().prefix("ey-box").permissions(PermissionsExt::from_mode(0o755)).tempdir().unwrap();
    let program = folder.path().join("real");
    std::fs::copy("/proc/self/exe", &program).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let temp = folder.path().join("tmp");
    std::fs::create_dir(&temp).unwrap();
    std::os::unix::fs::chown(&temp, Some(NOBODY_SPECIAL), Some(NOBODY_SPECIAL)).unwrap();
    let status = Command::new(program)
        .args(filters)
        .env("TMPDIR", &temp)
        .uid(NOBODY_SPECIAL)
        .gid(NOBODY_SPECIAL)
        .current_dir("/")
        .status();
    status.unwrap().success()
}
