//! On Linux the automation, elsewhere a sentence how to get there.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    xtask::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!(
        "xtask: Emberyard is built and checked in Linux: on macOS in a virtual machine (for example Lima), on Windows in WSL2"
    );
    ExitCode::FAILURE
}
