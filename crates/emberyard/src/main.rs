//! The program's door: on Linux the program, elsewhere a sentence how to get there.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    emberyard::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!(
        "emberyard: pods are Linux processes, so run this in Linux: on macOS in a virtual machine (for example Lima: \
         `limactl start`, then `lima`), on Windows in WSL2"
    );
    ExitCode::FAILURE
}
