//! OCI archives: images out of the store and into it.

use super::Store;
use super::find::Found;
use super::{Held, NewImage};
use crate::digest::{Summing, sha256_of};
use crate::error::ImageError;
use crate::image::ImageSummary;
use crate::layer;
use crate::oci::{CONFIG, Descriptor, INDEX, Index, LAYER_GZIP, LAYOUT, MANIFEST, Manifest, NAME};
use crate::progress::{Progress, Stage};
use crate::tree::FIXED_TIME;
use crate::unlayer::unlayer;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::Path;

pub(super) fn export(
    store: &Store,
    reference: &str,
    out: &mut dyn Write,
    progress: &mut dyn Progress,
) -> Result<(), ImageError> {
    let resolved = store.resolve(reference)?;
    let held = store.hold(progress)?;
    let index = store.index()?;
    let descriptor = index.manifests.iter().find(|d| d.annotations.get(NAME) == Some(&resolved.name));
    let found = match descriptor {
        Some(descriptor) => Found::read(store, descriptor)?,
        None => return Err(ImageError::Damaged { id: resolved.id, why: "it was removed meanwhile".to_owned() }),
    };
    let scratch = held.scratch("export")?;
    let mut layers = Vec::new();
    let of = found.manifest.layers.len() as u32;
    for (step, digest) in (1..).zip(&found.config.rootfs.diff_ids) {
        progress.stage(&Stage { step, of, title: format!("packing layer {}", &digest[7..19]) });
        layers.push(pack(&store.layer(digest), &scratch)?);
    }
    let config = fs::read(store.blob(&found.manifest.config.digest)).map_err(ImageError::io("read", store.dir()))?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        config: Descriptor::of(CONFIG, &config),
        layers: layers.clone(),
    };
    let json = |error: serde_json::Error| ImageError::io("write", &scratch)(std::io::Error::other(error));
    let manifest = serde_json::to_vec(&manifest).map_err(json)?;
    let mut named = Descriptor::of(MANIFEST, &manifest);
    named.annotations.insert(NAME.to_owned(), found.name);
    let blobs = [(named.digest.clone(), manifest), (Descriptor::of(CONFIG, &config).digest, config)];
    let index = Index { schema_version: 2, media_type: INDEX.to_owned(), manifests: vec![named] };
    let index = serde_json::to_vec(&index).map_err(json)?;
    let mut tar = tar::Builder::new(out);
    let written = ImageError::io("write", Path::new("the archive"));
    let mut all = || -> std::io::Result<()> {
        add(&mut tar, "oci-layout", LAYOUT.len() as u64, LAYOUT.as_bytes())?;
        add(&mut tar, "index.json", index.len() as u64, index.as_slice())?;
        for (digest, bytes) in &blobs {
            add(&mut tar, &blob_path(digest), bytes.len() as u64, bytes.as_slice())?;
        }
        for layer in &layers {
            let file = File::open(scratch.join(&layer.digest[7..]))?;
            add(&mut tar, &blob_path(&layer.digest), layer.size, file)?;
        }
        tar.finish()
    };
    all().map_err(written)
}

fn blob_path(digest: &str) -> String {
    format!("blobs/sha256/{}", digest.trim_start_matches("sha256:"))
}

fn add(tar: &mut tar::Builder<&mut dyn Write>, path: &str, size: u64, content: impl Read) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_mtime(FIXED_TIME.unsigned_abs());
    header.set_size(size);
    tar.append_data(&mut header, path, content)
}

/// Packs a layer into a gzipped blob in `scratch`, named by its digest.
fn pack(folder: &Path, scratch: &Path) -> Result<Descriptor, ImageError> {
    let part = scratch.join("part");
    let failed = |error| ImageError::io("write", &part)(error);
    let mut sum = Summing::new(BufWriter::new(File::create(&part).map_err(failed)?));
    let mut gzip = GzEncoder::new(&mut sum, Compression::new(4));
    layer::write_tar(folder, &mut gzip)?;
    gzip.finish().map_err(failed)?;
    sum.flush().map_err(failed)?;
    let (digest, size) = sum.finish();
    fs::rename(&part, scratch.join(&digest)).map_err(failed)?;
    let digest = format!("sha256:{digest}");
    Ok(Descriptor { media_type: LAYER_GZIP.to_owned(), digest, size, annotations: BTreeMap::new() })
}

pub(super) fn import(
    store: &Store,
    archive: &mut dyn Read,
    name: Option<&str>,
    progress: &mut dyn Progress,
) -> Result<ImageSummary, ImageError> {
    let held = store.hold(progress)?;
    let folder = held.scratch("import")?;
    progress.stage(&Stage { step: 1, of: 2, title: "reading the archive".to_owned() });
    spread(archive, &folder)?;
    let not = |why: &str| ImageError::NotOci { why: why.to_owned() };
    let index = fs::read(folder.join("index.json")).map_err(|_| not("it has no index.json"))?;
    let index: Index = serde_json::from_slice(&index).map_err(|e| not(&format!("index.json: {e}")))?;
    let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let mut why = "it names no image".to_owned();
    for descriptor in flatten(&folder, index.manifests)? {
        let manifest: Manifest = document(&folder, &descriptor)?;
        let config: crate::oci::Config = document(&folder, &manifest.config)?;
        if config.architecture != architecture || config.os != "linux" {
            why = format!("it is for {} {}, this machine is linux {architecture}", config.os, config.architecture);
            continue;
        }
        let name = name.map(str::to_owned).or_else(|| descriptor.annotations.get(NAME).cloned());
        let name = name.ok_or_else(|| not("it carries no name: give one"))?;
        progress.stage(&Stage { step: 2, of: 2, title: format!("unpacking {name}") });
        let layers = layers(store, &held, &folder, &manifest)?;
        let config = super::find::image_config(config.run);
        return store.add_image(&held, &NewImage { name: &name, layers, config: &config });
    }
    Err(ImageError::NotOci { why })
}

/// Manifests, those of nested indexes too.
fn flatten(folder: &Path, manifests: Vec<Descriptor>) -> Result<Vec<Descriptor>, ImageError> {
    let mut all = Vec::new();
    for descriptor in manifests {
        if descriptor.media_type == INDEX {
            let inner: Index = document(folder, &descriptor)?;
            all.extend(inner.manifests.into_iter().map(|mut inner| {
                inner.annotations.extend(descriptor.annotations.clone());
                inner
            }));
        } else {
            all.push(descriptor);
        }
    }
    Ok(all)
}

fn layers(store: &Store, held: &Held, folder: &Path, manifest: &Manifest) -> Result<Vec<Descriptor>, ImageError> {
    let mut stored = Vec::new();
    for descriptor in &manifest.layers {
        let blob = blob(folder, descriptor)?;
        let scratch = held.scratch("layer")?.join("upper");
        fs::create_dir_all(&scratch).map_err(ImageError::io("create", &scratch))?;
        let file = File::open(&blob).map_err(ImageError::io("read", &blob))?;
        let kind = descriptor.media_type.rsplit(['+', '.']).next().unwrap_or_default();
        let content: Box<dyn Read> = match kind {
            "gzip" => Box::new(GzDecoder::new(file)),
            "zstd" => Box::new(
                ruzstd::decoding::StreamingDecoder::new(file)
                    .map_err(|e| ImageError::Unpack { what: descriptor.digest.clone(), why: e.to_string() })?,
            ),
            "tar" => Box::new(file),
            other => {
                return Err(ImageError::NotOci { why: format!("a layer is packed as {other}, which is not known") });
            }
        };
        unlayer(content, &scratch)?;
        crate::tree::settle(&scratch)?;
        stored.push(store.add_layer(held, &scratch)?);
    }
    Ok(stored)
}

fn document<T: serde::de::DeserializeOwned>(folder: &Path, descriptor: &Descriptor) -> Result<T, ImageError> {
    let path = blob(folder, descriptor)?;
    let bytes = fs::read(&path).map_err(ImageError::io("read", &path))?;
    serde_json::from_slice(&bytes).map_err(|e| ImageError::NotOci { why: format!("{}: {e}", descriptor.digest) })
}

/// The blob's file, its content checked.
fn blob(folder: &Path, descriptor: &Descriptor) -> Result<std::path::PathBuf, ImageError> {
    let hex = descriptor.digest.strip_prefix("sha256:").filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    let hex =
        hex.ok_or_else(|| ImageError::NotOci { why: format!("\"{}\" is no SHA-256 digest", descriptor.digest) })?;
    let path = folder.join("blobs/sha256").join(hex);
    let missing = |_| ImageError::NotOci { why: format!("blob {} is missing", descriptor.digest) };
    let got = File::open(&path).and_then(|mut file| sha256_of(&mut file)).map_err(missing)?;
    if got != hex {
        return Err(ImageError::Checksum { url: descriptor.digest.clone(), promised: hex.to_owned(), got });
    }
    Ok(path)
}

/// Spreads the archive's files over a folder: only the layout's own names.
fn spread(archive: &mut dyn Read, folder: &Path) -> Result<(), ImageError> {
    let not = |e: std::io::Error| ImageError::NotOci { why: e.to_string() };
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).map_err(ImageError::io("create", &blobs))?;
    let mut tar = tar::Archive::new(archive);
    for entry in tar.entries().map_err(not)? {
        let mut entry = entry.map_err(not)?;
        let path = entry.path().map_err(not)?.to_string_lossy().trim_start_matches("./").to_owned();
        let place = match path.strip_prefix("blobs/sha256/") {
            Some(hex) if !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()) => blobs.join(hex),
            None if path == "index.json" => folder.join(path),
            _ => continue,
        };
        let mut file = File::create(&place).map_err(ImageError::io("create", &place))?;
        std::io::copy(&mut entry, &mut file).map_err(ImageError::io("write", &place))?;
    }
    Ok(())
}
