//! The registries asked before anything is made: whether they answer, and have what a recipe names.

use crate::debian::RELEASE;
use crate::debian::mirrors::Mirrors;
use crate::error::ImageError;
use crate::net::{FetchError, Http, without_credentials};
use crate::python::index;
use crate::python::settings::Indexes;
use crate::recipe::Recipe;
use crate::recipes;
use crate::registries::maven::{Repository, settings};

/// Finds out in seconds what a build would find out after minutes. Writes nothing.
///
/// # Errors
/// [`ImageError`] when a registry does not answer, or has no package of a name.
pub fn ask(recipe: &Recipe) -> Result<(), ImageError> {
    let http = Http::new();
    if !recipe.debian.is_empty() {
        debian(&http)?;
    }
    let indexes = Indexes::of_this_machine();
    // A lock vouches for its names: one question shows whether the index answers.
    let locked = recipes::lock(&recipe.name, "pypi").is_some();
    let asked = if locked { 1 } else { recipe.pypi.len() };
    // What is named by an address is in no index.
    for package in recipe.pypi.iter().filter(|package| !package.contains(['@', '/'])).take(asked) {
        python(&http, &indexes, &recipe.name, package)?;
    }
    maven(&http, recipe)
}

/// Any mirror is enough.
fn debian(http: &Http) -> Result<(), ImageError> {
    let mut failed = None;
    for mirror in Mirrors::of_this_machine().main {
        match http.get(&format!("{mirror}/dists/{RELEASE}/InRelease"), None) {
            Ok(_) => return Ok(()),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// The same for jars: a lock vouches for all, once the repository is known to answer.
fn maven(http: &Http, recipe: &Recipe) -> Result<(), ImageError> {
    let jars = super::maven::wanted(recipe)?;
    let base = settings::of_this_machine();
    let repository = Repository { base: &base, recipe: &recipe.name };
    let locked = recipes::lock(&recipe.name, "maven").is_some();
    jars.iter().take(if locked { 1 } else { jars.len() }).try_for_each(|jar| repository.ask(http, jar))
}

fn python(http: &Http, indexes: &Indexes, recipe: &str, package: &str) -> Result<(), ImageError> {
    let project = index::normalised(index::name(package));
    for base in indexes.extra.iter().chain([&indexes.default]) {
        match index::files(http, base, &project) {
            Ok(_) => return Ok(()),
            Err(FetchError::Gone { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(ImageError::NoSuchPackage {
        recipe: recipe.to_owned(),
        package: package.to_owned(),
        registry: format!("PyPI ({})", without_credentials(&indexes.default)),
        why: format!("{project} was not found in the package registry"),
    })
}
