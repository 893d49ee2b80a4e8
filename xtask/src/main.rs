//! Automation: `cargo xtask check` is the one door.
fn main() {}
