//! From a recipe to an image in the store.

use crate::error::ImageError;
use crate::image::ImageSummary;
use crate::progress::Progress;
use crate::recipe::Recipe;
use crate::store::Store;
use std::path::PathBuf;

/// How to build.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// Folder of downloads and of the Python packager's cache; kept between builds.
    pub cache_dir: PathBuf,
    /// Build even if the store already has this very image.
    pub again: bool,
}

/// Builds `recipe`, and what it stands on where that is missing, and gives it its name in the store.
///
/// Nothing is changed before every package has been found; an interrupted build leaves only downloads, which the next
/// one uses. An image that is already there unchanged is not built again.
pub fn build(
    _store: &Store,
    _recipe: &Recipe,
    _progress: &mut dyn Progress,
    _options: &BuildOptions,
) -> Result<ImageSummary, ImageError> {
    todo!()
}
