//! Small documents of the store: written whole or not at all.

use super::Store;
use crate::error::ImageError;
use crate::image::ImageId;
use crate::oci::{Config, Descriptor, INDEX, Index, Manifest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

impl Store {
    /// Writes a file so that a reader, or a power cut, sees the old or the new one.
    pub(crate) fn write_file(&self, name: &str, bytes: &[u8]) -> Result<(), ImageError> {
        let path = self.dir().join(name);
        let part = self.dir().join(format!("tmp/{}.part", name.replace('/', "-")));
        let mut file = File::create(&part).map_err(ImageError::io("create", &part))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(ImageError::io("write", &part))?;
        fs::rename(&part, &path).map_err(ImageError::io("rename", &path))?;
        let folder = path.parent().unwrap_or(self.dir());
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(ImageError::io("sync", folder))
    }

    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        self.dir().join("blobs/sha256").join(digest.trim_start_matches("sha256:"))
    }

    /// The folder of a layer, by the digest of its tar.
    pub(crate) fn layer(&self, digest: &str) -> PathBuf {
        self.dir().join("layers").join(digest.trim_start_matches("sha256:"))
    }

    /// Stores a document and answers where it is.
    pub(crate) fn put<T: Serialize>(&self, media_type: &str, document: &T) -> Result<Descriptor, ImageError> {
        let bytes =
            serde_json::to_vec(document).map_err(|e| ImageError::io("write", self.dir())(std::io::Error::other(e)))?;
        let descriptor = Descriptor::of(media_type, &bytes);
        let name = format!("blobs/sha256/{}", descriptor.digest.trim_start_matches("sha256:"));
        if !self.blob(&descriptor.digest).exists() {
            self.write_file(&name, &bytes)?;
        }
        Ok(descriptor)
    }

    fn read<T: DeserializeOwned>(&self, digest: &str) -> Result<T, ImageError> {
        let path = self.blob(digest);
        let damaged = |why: String| ImageError::Damaged { id: ImageId(digest.to_owned()), why };
        let bytes = fs::read(&path).map_err(|e| damaged(format!("{}: {e}", path.display())))?;
        serde_json::from_slice(&bytes).map_err(|e| damaged(format!("{}: {e}", path.display())))
    }

    pub(crate) fn manifest(&self, descriptor: &Descriptor) -> Result<Manifest, ImageError> {
        self.read(&descriptor.digest)
    }

    pub(crate) fn config(&self, manifest: &Manifest) -> Result<Config, ImageError> {
        self.config_of(&ImageId(manifest.config.digest.clone()))
    }

    /// The config of an image that may have no name any more.
    pub(crate) fn config_of(&self, id: &ImageId) -> Result<Config, ImageError> {
        self.read(&id.0)
    }

    pub(crate) fn index(&self) -> Result<Index, ImageError> {
        let path = self.dir().join("index.json");
        let empty = Index { schema_version: 2, media_type: INDEX.to_owned(), manifests: Vec::new() };
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|e| ImageError::io("understand", &path)(std::io::Error::other(e))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(empty),
            Err(error) => Err(ImageError::io("read", &path)(error)),
        }
    }

    pub(crate) fn write_index(&self, index: &Index) -> Result<(), ImageError> {
        let bytes = serde_json::to_vec_pretty(index)
            .map_err(|e| ImageError::io("write", self.dir())(std::io::Error::other(e)))?;
        self.write_file("index.json", &bytes)
    }
}
