//! Reads the signed indexes of all suites of the release from the mirrors.

use crate::debian::index::Index;
use crate::debian::mirrors::Mirrors;
use crate::debian::release::{Release, verify};
use crate::debian::{RELEASE, architecture};
use crate::error::ImageError;
use crate::net::{Downloads, Wanted};
use crate::progress::Progress;
use std::io::Read;

/// A suite, and which mirrors have it.
struct Suite {
    name: String,
    security: bool,
    /// The build can't go on without it.
    must: bool,
}

/// Fetches, verifies and reads the indexes.
pub fn read(downloads: &Downloads, mirrors: &Mirrors, progress: &mut dyn Progress) -> Result<Index, ImageError> {
    let suites = [
        Suite { name: RELEASE.to_owned(), security: false, must: true },
        Suite { name: format!("{RELEASE}-updates"), security: false, must: false },
        Suite { name: format!("{RELEASE}-security"), security: true, must: false },
    ];
    let mut index = Index::default();
    for suite in suites {
        let bases = if suite.security { &mirrors.security } else { &mirrors.main };
        match packages(downloads, bases, &suite.name, progress) {
            Ok(text) => index.add(&text, &suite.name),
            Err(error @ ImageError::Unreachable { .. }) if !suite.must => {
                progress.note(&format!("going on without {}: {error}", suite.name));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(index)
}

fn packages(
    downloads: &Downloads,
    bases: &[String],
    suite: &str,
    progress: &mut dyn Progress,
) -> Result<String, ImageError> {
    let release = release(downloads, bases, suite)?;
    let path = format!("main/binary-{}/Packages.xz", architecture());
    let Some((sha256, size)) = release.files.get(&path) else {
        let why = format!("it has no packages for {}", architecture());
        return Err(ImageError::Unreachable { url: format!("{}/dists/{suite}", bases[0]), why });
    };
    let folder = format!("dists/{suite}/main/binary-{}", architecture());
    let urls = bases
        .iter()
        .flat_map(|base| [format!("{base}/{folder}/by-hash/SHA256/{sha256}"), format!("{base}/{folder}/Packages.xz")])
        .collect();
    let wanted = [Wanted { urls, sha256: sha256.clone(), size: Some(*size) }];
    let file = downloads.fetch(&wanted, progress).remove(0)?;
    let bytes = std::fs::File::open(&file).map_err(ImageError::io("read", &file))?;
    let mut text = String::new();
    liblzma::read::XzDecoder::new(bytes)
        .read_to_string(&mut text)
        .map_err(|e| ImageError::Unpack { what: path, why: e.to_string() })?;
    Ok(text)
}

/// The release file of the first mirror that has a good one.
fn release(downloads: &Downloads, bases: &[String], suite: &str) -> Result<Release, ImageError> {
    let mut last = ImageError::Unreachable { url: suite.to_owned(), why: "no mirror is known".to_owned() };
    for base in bases {
        let url = format!("{base}/dists/{suite}/InRelease");
        match downloads.http().get(&url, None) {
            Ok(document) => {
                let release = verify(&document.bytes, &url)?;
                if release.codename == suite {
                    return Ok(release);
                }
                let why = format!("it is signed for {}, not {suite}", release.codename);
                return Err(ImageError::Signature { url, why });
            }
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}
