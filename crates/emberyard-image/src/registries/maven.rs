//! Jars of Maven repositories (`EMBERYARD_MAVEN_MIRROR`, else Maven Central), checked by the digest beside them.

use super::{keep, missing};
use crate::digest::{hex, sha256};
use crate::error::ImageError;
use crate::net::{Downloads, FetchError};
use std::path::PathBuf;

const CENTRAL: &str = "https://repo1.maven.org/maven2";

/// A jar, downloaded and checked.
#[derive(Debug)]
pub struct Jar {
    /// File name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// Fetches `group:artifact:version[:classifier]`.
pub fn fetch(downloads: &Downloads, recipe: &str, coordinates: &str) -> Result<Jar, ImageError> {
    let base = std::env::var("EMBERYARD_MAVEN_MIRROR").unwrap_or_else(|_| CENTRAL.to_owned());
    let (folder, name) = place(coordinates);
    let url = format!("{}/{folder}/{name}", base.trim_end_matches('/'));
    let registry = format!("Maven ({})", crate::net::without_credentials(&base));
    let gone = |error| missing(recipe, coordinates, &registry, error);
    let bytes = downloads.http().get(&url, None).map_err(gone)?.bytes;
    let sums: [(&str, &dyn Fn() -> String); 3] = [
        ("sha256", &|| sha256(&bytes)),
        ("sha512", &|| hex(&crate::digest::sha512(&bytes))),
        ("sha1", &|| hex(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &bytes).as_ref())),
    ];
    for (kind, sum) in sums {
        let promised = match downloads.http().get(&format!("{url}.{kind}"), None) {
            Ok(document) => String::from_utf8_lossy(&document.bytes)
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase(),
            Err(FetchError::Gone { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let got = sum();
        if promised != got {
            return Err(ImageError::Checksum { url, promised, got });
        }
        return Ok(Jar { name, path: keep(downloads, &bytes)? });
    }
    Err(ImageError::Unreachable { url, why: "the repository has no digest of it, so it can't be checked".to_owned() })
}

/// Folder and file name in a repository.
fn place(coordinates: &str) -> (String, String) {
    let mut parts = coordinates.split(':');
    let mut part = || parts.next().unwrap_or_default();
    let (group, artifact, version, classifier) = (part(), part(), part(), part());
    let classifier = if classifier.is_empty() { String::new() } else { format!("-{classifier}") };
    let folder = format!("{}/{artifact}/{version}", group.replace('.', "/"));
    (folder, format!("{artifact}-{version}{classifier}.jar"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn places() {
        let place = |text| super::place(text);
        assert_eq!(place("org.a:b:1"), ("org/a/b/1".to_owned(), "b-1.jar".to_owned()));
        assert_eq!(place("a:b:1:tests").1, "b-1-tests.jar");
    }
}
