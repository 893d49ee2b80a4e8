//! Registries whose packages are taken one by one, without what they depend on.

pub mod maven;
pub mod npm;

use crate::digest::sha256;
use crate::error::ImageError;
use crate::net::{Downloads, FetchError};
use std::fs;
use std::path::PathBuf;

/// A registry's words for a package it does not have.
fn missing(recipe: &str, package: &str, registry: &str, error: FetchError) -> ImageError {
    match error {
        FetchError::Gone { url } => ImageError::NoSuchPackage {
            recipe: recipe.to_owned(),
            package: package.to_owned(),
            registry: registry.to_owned(),
            why: format!("there is no {url}"),
        },
        other => other.into(),
    }
}

/// Keeps checked bytes among the downloads.
pub fn keep(downloads: &Downloads, bytes: &[u8]) -> Result<PathBuf, ImageError> {
    let path = downloads.path(&sha256(bytes));
    if !path.is_file() {
        let part = path.with_extension("part");
        fs::write(&part, bytes).map_err(ImageError::io("write", &part))?;
        fs::rename(&part, &path).map_err(ImageError::io("rename", &part))?;
    }
    Ok(path)
}
