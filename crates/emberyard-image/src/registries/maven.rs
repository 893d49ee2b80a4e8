//! Jars of Maven Central, or of the mirror the user has for it. Each is taken alone: what its pom depends on is not
//! followed, so a recipe says exactly what is in its image.

pub mod coordinates;
pub mod lock;
pub mod repack;
pub mod settings;
#[cfg(test)]
mod tests;

use super::{keep, missing};
use crate::digest::{hex, sha256, sha512};
use crate::error::ImageError;
use crate::net::{Downloads, FetchError, Http, Wanted, without_credentials};
use crate::progress::Progress;
use coordinates::Coordinates;
use lock::Locked;
use std::path::PathBuf;

/// A jar, downloaded and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jar {
    /// What it is, exactly.
    pub locked: Locked,
    /// The file, named by its content.
    pub path: PathBuf,
}

/// A repository, and for which recipe it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Repository<'a> {
    /// Its address, without a slash at the end.
    pub base: &'a str,
    /// The recipe's name, for errors.
    pub recipe: &'a str,
}

impl Repository<'_> {
    /// Whether the repository answers and has this jar; reads no more than the beginning of the answer.
    pub fn ask(&self, http: &Http, jar: &Coordinates) -> Result<(), ImageError> {
        http.has(&jar.address(self.base)).map_err(|error| self.missing(jar, error))
    }

    /// Fetches what a lock names, many at once, each by its digest.
    pub fn fetch(
        &self,
        downloads: &Downloads,
        locked: &[Locked],
        progress: &mut dyn Progress,
    ) -> Result<Vec<Jar>, ImageError> {
        let wanted = self.wanted(locked);
        let answers = locked.iter().zip(downloads.fetch(&wanted, progress));
        answers
            .map(|(locked, answer)| {
                let path = answer.map_err(|error| self.missing(&locked.coordinates, error))?;
                Ok(Jar { locked: locked.clone(), path })
            })
            .collect()
    }

    /// What a lock's jars are as downloads.
    pub fn wanted(&self, locked: &[Locked]) -> Vec<Wanted> {
        locked.iter().map(|jar| jar.wanted(self.base)).collect()
    }

    /// Fetches a jar that no lock names, and checks it by the strongest digest that the repository has beside it.
    pub fn fetch_unlocked(&self, downloads: &Downloads, jar: &Coordinates) -> Result<Jar, ImageError> {
        let url = jar.address(self.base);
        let http = downloads.http();
        let bytes = http.get(&url, None).map_err(|error| self.missing(jar, error))?.bytes;
        let sums: [(&str, &dyn Fn() -> String); 3] = [
            ("sha512", &|| hex(&sha512(&bytes))),
            ("sha256", &|| sha256(&bytes)),
            ("sha1", &|| hex(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &bytes).as_ref())),
        ];
        for (kind, sum) in sums {
            let promised = match http.get(&format!("{url}.{kind}"), None) {
                Ok(document) => first_word(&document.bytes),
                Err(FetchError::Gone { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let got = sum();
            if promised != got {
                return Err(ImageError::Checksum { url: without_credentials(&url), promised, got });
            }
            let path = keep(downloads, &bytes)?;
            let locked = Locked { coordinates: jar.clone(), sha256: sha256(&bytes), size: bytes.len() as u64 };
            return Ok(Jar { locked, path });
        }
        let why = "the repository has no digest of it, so it can't be checked".to_owned();
        Err(ImageError::Unreachable { url: without_credentials(&url), why })
    }

    fn missing(&self, jar: &Coordinates, error: FetchError) -> ImageError {
        missing(self.recipe, &jar.to_string(), &format!("Maven ({})", without_credentials(self.base)), error)
    }
}

/// The digest in a digest file: some have the file's name behind it.
fn first_word(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).split_whitespace().next().unwrap_or_default().to_ascii_lowercase()
}
