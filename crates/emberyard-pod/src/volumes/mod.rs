//! Volumes: what each needs, which files it holds, where it is mounted.

mod mounts;
mod projection;

pub use mounts::{Mount, mounts};
pub use projection::{FileContent, TokenRequest, files, references, tokens};

use crate::error::PodError;

/// Checks that a path stays in its folder.
///
/// # Errors
/// [`PodError::Path`] when it is absolute or climbs.
pub fn stays_inside(path: &str) -> Result<(), PodError> {
    let climbs = path.starts_with('/') || path.split('/').any(|part| part == "..");
    if climbs { Err(PodError::Path(path.to_owned())) } else { Ok(()) }
}
