//! Small JSON files of ours, replaced as a whole. Each carries the version of its format beside its content; one without
//! is of version 1.

use crate::error::{Context, Result, SandboxError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::ErrorKind;
use std::path::Path;

/// Version of all records written here.
pub const FORMAT: u32 = 1;
const FORMAT_KEY: &str = "format";

/// Writes a record beside itself and renames it, so that a reader never sees half of it.
pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let draft = path.with_extension("draft");
    let bytes = with_format(value).map_err(std::io::Error::from).context(|| path.display().to_string())?;
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
    let damaged =
        |error: serde_json::Error| SandboxError::Damaged { path: path.to_owned(), message: error.to_string() };
    let value: Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    if let Some(theirs) = value[FORMAT_KEY].as_u64().filter(|theirs| *theirs > u64::from(FORMAT)) {
        return Err(SandboxError::Newer { path: path.to_owned(), theirs, ours: FORMAT });
    }
    T::deserialize(value).map(Some).map_err(damaged)
}

fn with_format<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut value = serde_json::to_value(value)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert(FORMAT_KEY.to_owned(), FORMAT.into());
    }
    serde_json::to_vec(&value)
}

/// Removes a record; missing is fine.
pub fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context(|| path.display().to_string()),
        _ => Ok(()),
    }
}
