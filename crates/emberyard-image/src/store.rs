//! The store: an OCI layout whose layers lie unpacked.

use crate::error::{ImageError, ResolveError};
use crate::image::{ImageSummary, Resolved};
use crate::progress::Progress;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A folder of images.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// Opens the store in `dir`, making it where there is none yet.
    pub fn open(dir: &Path) -> Result<Self, ImageError> {
        Ok(Self { dir: dir.to_owned() })
    }

    /// The store's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Finds the image for a reference as a pod writes it.
    pub fn resolve(&self, _reference: &str) -> Result<Resolved, ResolveError> {
        todo!()
    }

    /// All named images.
    pub fn list(&self) -> Result<Vec<ImageSummary>, ImageError> {
        todo!()
    }

    /// Removes the names given, then layers no name needs; returns the bytes freed. Images of running pods are `in_use` and stay.
    pub fn prune(&self, _remove: &[String], _in_use: &[crate::ImageId]) -> Result<u64, ImageError> {
        todo!()
    }

    /// Writes an image as an OCI archive (tar of an OCI layout, layers gzipped).
    pub fn export(
        &self,
        _reference: &str,
        _out: &mut dyn Write,
        _progress: &mut dyn Progress,
    ) -> Result<(), ImageError> {
        todo!()
    }

    /// Takes an OCI archive in under `name`, or the name it carries.
    pub fn import(
        &self,
        _archive: &mut dyn Read,
        _name: Option<&str>,
        _progress: &mut dyn Progress,
    ) -> Result<ImageSummary, ImageError> {
        todo!()
    }
}
