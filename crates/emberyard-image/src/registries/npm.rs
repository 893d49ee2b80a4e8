//! Packages of npm (`NPM_CONFIG_REGISTRY`, else the public one), checked by the integrity its index promises.

use super::{keep, missing};
use crate::digest::sha512;
use crate::error::ImageError;
use crate::net::Downloads;
use crate::tree::Tree;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::path::{Path, PathBuf};

const REGISTRY: &str = "https://registry.npmjs.org";

/// A package, downloaded and checked.
#[derive(Debug)]
pub struct Unpacked {
    name: String,
    path: PathBuf,
}

#[derive(Deserialize)]
struct Version {
    dist: Dist,
}

#[derive(Deserialize)]
struct Dist {
    tarball: String,
    #[serde(default)]
    integrity: String,
}

/// Fetches `name@version`.
pub fn fetch(downloads: &Downloads, recipe: &str, package: &str) -> Result<Unpacked, ImageError> {
    let registry = ["NPM_CONFIG_REGISTRY", "npm_config_registry"].iter().find_map(|name| std::env::var(name).ok());
    let registry = registry.unwrap_or_else(|| REGISTRY.to_owned());
    let registry = registry.trim_end_matches('/');
    let (name, version) = package.rsplit_once('@').unwrap_or((package, "latest"));
    let url = format!("{registry}/{}/{version}", name.replace('/', "%2f"));
    let gone = |error| missing(recipe, package, &format!("npm ({})", crate::net::without_credentials(registry)), error);
    let document = downloads.http().get(&url, Some("application/json")).map_err(gone)?;
    let version: Version = serde_json::from_slice(&document.bytes)
        .map_err(|e| ImageError::Unreachable { url: url.clone(), why: format!("its answer is not npm's: {e}") })?;
    let bytes = downloads.http().get(&version.dist.tarball, None).map_err(gone)?.bytes;
    let got = format!("sha512-{}", STANDARD.encode(sha512(&bytes)));
    if !version.dist.integrity.split_whitespace().any(|promised| promised == got) {
        return Err(ImageError::Checksum { url: version.dist.tarball, promised: version.dist.integrity, got });
    }
    Ok(Unpacked { name: name.to_owned(), path: keep(downloads, &bytes)? })
}

/// Unpacks it below `/opt/npm/node_modules`.
pub fn unpack(package: &Unpacked, tree: &mut Tree) -> Result<(), ImageError> {
    let bad = |e: std::io::Error| ImageError::Unpack { what: package.name.clone(), why: e.to_string() };
    let file = std::fs::File::open(&package.path).map_err(ImageError::io("read", &package.path))?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let folder = Path::new("opt/npm/node_modules").join(&package.name);
    for entry in archive.entries().map_err(bad)? {
        let mut entry = entry.map_err(bad)?;
        let path: PathBuf = entry.path().map_err(bad)?.components().skip(1).collect();
        if entry.header().entry_type().is_file() && !path.as_os_str().is_empty() {
            let mode = entry.header().mode().unwrap_or(0o644);
            tree.file(&folder.join(path), &mut entry, mode)?;
        }
    }
    Ok(())
}
