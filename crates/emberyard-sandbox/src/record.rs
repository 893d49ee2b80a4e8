//! Small JSON files of ours, replaced as a whole.

use crate::error::{Context, Result, SandboxError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::ErrorKind;
use std::path::Path;

/// Writes a record beside itself and renames it, so that a reader never sees half of it.
pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let draft = path.with_extension("draft");
    let bytes = serde_json::to_vec(value).map_err(std::io::Error::from).context(|| path.display().to_string())?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).context(|| folder.display().to_string())?;
    }
    std::fs::write(&draft, bytes).context(|| draft.display().to_string())?;
    std::fs::rename(&draft, path).context(|| path.display().to_string())
}

/// Reads a record; `None` when there is none.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context(|| path.display().to_string()),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| SandboxError::Damaged { path: path.to_owned(), message: error.to_string() })
}

/// Removes a record; missing is fine.
pub fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context(|| path.display().to_string()),
        _ => Ok(()),
    }
}
