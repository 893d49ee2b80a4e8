//! Debian packages without apt: signed indexes read directly, packages unpacked without running their scripts.

pub mod depends;
pub mod index;
pub mod indexes;
pub mod lock;
pub mod mirrors;
pub mod release;
pub mod solve;
pub mod system;
pub mod truststore;
pub mod unpack;
pub mod version;

/// The release that images are made of.
pub const RELEASE: &str = "bookworm";

/// Debian's name of this machine's architecture.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64el",
        other => other,
    }
}
