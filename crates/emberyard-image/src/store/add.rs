//! A finished layer becomes an image: the folder moves in, the documents follow, the name comes last.

use super::{Held, Store};
use crate::error::ImageError;
use crate::image::{ImageConfig, ImageId, ImageSummary};
use crate::layer;
use crate::oci::{CONFIG, Config, Descriptor, LAYER, MANIFEST, Manifest, NAME, RootFs, Run};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// An image to be named in the store.
#[derive(Debug)]
pub struct NewImage<'a> {
    /// Its name.
    pub name: &'a str,
    /// Layers, base first, all in the store.
    pub layers: Vec<Descriptor>,
    /// How it starts.
    pub config: &'a ImageConfig,
}

impl Store {
    /// Moves a finished layer's folder into the store.
    pub fn add_layer(&self, _held: &Held, folder: &Path) -> Result<Descriptor, ImageError> {
        let (digest, size) = layer::digest(folder)?;
        let place = self.layer(&digest);
        if !place.is_dir() {
            // All of it must be on the disk before its name is.
            let file = fs::File::open(folder).map_err(ImageError::io("read", folder))?;
            rustix::fs::syncfs(&file).map_err(|e| ImageError::io("sync", folder)(e.into()))?;
            fs::rename(folder, &place).map_err(ImageError::io("rename", &place))?;
        }
        let digest = format!("sha256:{digest}");
        Ok(Descriptor { media_type: LAYER.to_owned(), digest, size, annotations: BTreeMap::new() })
    }

    /// Gives an image its documents and its name; an older image of this name loses it.
    pub fn add_image(&self, _held: &Held, image: &NewImage<'_>) -> Result<ImageSummary, ImageError> {
        let config = self.put(CONFIG, &oci_config(image))?;
        let id = ImageId(config.digest.clone());
        let manifest =
            Manifest { schema_version: 2, media_type: MANIFEST.to_owned(), config, layers: image.layers.clone() };
        let mut descriptor = self.put(MANIFEST, &manifest)?;
        descriptor.annotations.insert(NAME.to_owned(), image.name.to_owned());
        let mut index = self.index()?;
        index.manifests.retain(|other| other.annotations.get(NAME).map(String::as_str) != Some(image.name));
        index.manifests.push(descriptor);
        index.manifests.sort_by(|a, b| a.annotations.get(NAME).cmp(&b.annotations.get(NAME)));
        self.write_index(&index)?;
        Ok(summary(image.name, id, &image.layers, &image.config.labels))
    }
}

/// A line of `image list`.
pub(super) fn summary(
    name: &str,
    id: ImageId,
    layers: &[Descriptor],
    labels: &BTreeMap<String, String>,
) -> ImageSummary {
    let contents = labels
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(CONTENTS)?.to_owned(), value.clone())))
        .collect();
    let digests: Vec<String> = layers.iter().map(|layer| layer.digest.clone()).collect();
    let bytes = layers.iter().map(|layer| layer.size).sum();
    ImageSummary { name: name.to_owned(), id, bytes, layers: digests, contents }
}

/// Labels that say what is inside, by version.
pub(crate) const CONTENTS: &str = "dev.emberyard.contents.";

fn oci_config(image: &NewImage<'_>) -> Config {
    let ImageConfig { env, entrypoint, cmd, user, workdir, labels } = image.config;
    Config {
        architecture: match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        }
        .to_owned(),
        os: "linux".to_owned(),
        run: Run {
            user: format!("{}:{}", user.uid, user.gid),
            env: env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            entrypoint: Some(entrypoint.clone()),
            cmd: Some(cmd.clone()),
            working_dir: workdir.clone(),
            labels: Some(labels.clone()),
        },
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: image.layers.iter().map(|layer| layer.digest.clone()).collect(),
        },
    }
}
