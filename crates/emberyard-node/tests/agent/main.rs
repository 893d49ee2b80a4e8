//! The agent with the real API server, controllers, sandboxes and network: as root where the tests run as root, and always
//! as a user without rights. The program is its own harness, as the sandbox executes it again for its roles.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // A test fails by panicking.

mod forward;
mod greed;
mod image;
mod policies;
mod roles;
mod scenes;
mod yard;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// An unnamed uid that is not the overflow uid.
const SOMEBODY: u32 = 12_345;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = emberyard_sandbox::dispatch(&args) {
        return code;
    }
    let words: Vec<&str> = args[1..].iter().filter_map(|a| a.to_str()).collect();
    if roles::play(&words) {
        return ExitCode::SUCCESS;
    }
    if words.contains(&"--list") {
        return ExitCode::SUCCESS;
    }
    let mut failed = !scenes::run();
    if rustix::process::geteuid().is_root() {
        let again = Command::new(std::env::current_exe().unwrap()).uid(SOMEBODY).gid(SOMEBODY).status();
        failed |= !again.unwrap().success();
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
