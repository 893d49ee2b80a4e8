//! The store: an OCI layout whose layers lie unpacked.
//!
//! `index.json` names manifests; `blobs/sha256` has manifests and configs; `layers/<digest>` has each layer as a folder,
//! named by the digest of its tar; `tmp` has what is being made. Layer blobs are made only when an image leaves.

mod account;
mod add;
mod archive;
mod blobs;
mod find;
mod lock;
mod prune;
#[cfg(test)]
mod tests;

pub(crate) use add::CONTENTS;
pub use add::NewImage;
pub use lock::Held;

use crate::error::{ImageError, ResolveError};
use crate::image::{ImageSummary, Resolved};
use crate::progress::Progress;
use std::fs;
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
        for folder in [dir.to_owned(), dir.join("blobs/sha256"), dir.join("layers"), dir.join("tmp")] {
            fs::create_dir_all(&folder).map_err(ImageError::io("create", &folder))?;
        }
        let dir = dir.canonicalize().map_err(ImageError::io("find", dir))?;
        let store = Self { dir };
        let layout = store.dir.join("oci-layout");
        if !layout.exists() {
            store.write_file("oci-layout", crate::oci::LAYOUT.as_bytes())?;
        }
        Ok(store)
    }

    /// The store's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Finds the image for a reference as a pod writes it.
    pub fn resolve(&self, reference: &str) -> Result<Resolved, ResolveError> {
        find::resolve(self, reference)
    }

    /// All named images.
    pub fn list(&self) -> Result<Vec<ImageSummary>, ImageError> {
        find::list(self)
    }

    /// Removes the names given, then layers and blobs that no name needs; answers the bytes freed. Images in `in_use`
    /// (of running pods) keep their layers, also those that have lost their name to a newer one.
    pub fn prune(&self, remove: &[String], in_use: &[crate::ImageId]) -> Result<u64, ImageError> {
        prune::prune(self, remove, in_use)
    }

    /// Writes an image as an OCI archive (tar of an OCI layout, layers gzipped).
    pub fn export(&self, reference: &str, out: &mut dyn Write, progress: &mut dyn Progress) -> Result<(), ImageError> {
        archive::export(self, reference, out, progress)
    }

    /// Takes an OCI archive in under `name`, or the name it carries.
    pub fn import(
        &self,
        archive: &mut dyn Read,
        name: Option<&str>,
        progress: &mut dyn Progress,
    ) -> Result<ImageSummary, ImageError> {
        archive::import(self, archive, name, progress)
    }
}
