//! Locks made anew.

use super::{BuildOptions, Builder, debian, maven, pypi};
use crate::debian::architecture;
use crate::error::ImageError;
use crate::inside::Inside;
use crate::net::{Downloads, Http};
use crate::progress::Progress;
use crate::recipe::Recipe;
use crate::store::Store;
use std::fs;

/// The exact packages of a recipe as of now, for this machine's architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// `debian`, `pypi` or `maven`.
    pub registry: &'static str,
    /// The lock's text.
    pub text: String,
}

impl Lock {
    /// The name of its file beside the recipe. Jars are the same on every architecture.
    pub fn file(&self, recipe: &Recipe) -> String {
        match self.registry {
            "maven" => format!("{}.maven.lock", recipe.name),
            registry => format!("{}.{}.{registry}.lock", recipe.name, architecture()),
        }
    }
}

/// Chooses the newest versions that `recipe` allows. The image it stands on must be in the store.
pub fn lock(
    store: &Store,
    recipe: &Recipe,
    progress: &mut dyn Progress,
    options: &BuildOptions,
) -> Result<Vec<Lock>, ImageError> {
    let cache_dir = &options.cache_dir;
    fs::create_dir_all(cache_dir).map_err(ImageError::io("create", cache_dir))?;
    let cache_dir = cache_dir.canonicalize().map_err(ImageError::io("find", cache_dir))?;
    let held = store.hold(progress)?;
    let downloads = Downloads::open(&cache_dir, Http::new())?;
    let builder = Builder { store, held: &held, downloads: &downloads, cache_dir: &cache_dir, recipe, newest: true };
    let mut locks = Vec::new();
    if !recipe.debian.is_empty() {
        locks.push(Lock { registry: "debian", text: debian::lock(&builder, progress)? });
    }
    if let (Some(from), false) = (&recipe.from, recipe.pypi.is_empty()) {
        let below = store.resolve(from)?;
        let inside = Inside { lowers: below.lowers, scratch: held.scratch("lock")?, env: below.config.env };
        locks.push(Lock { registry: "pypi", text: pypi::lock(&builder, &inside, progress)? });
    }
    if !maven::wanted(recipe)?.is_empty() {
        locks.push(Lock { registry: "maven", text: maven::lock(&builder, progress)? });
    }
    Ok(locks)
}
