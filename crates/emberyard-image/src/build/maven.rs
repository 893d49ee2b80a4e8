//! The jars of a layer.

use super::Builder;
use crate::error::ImageError;
use crate::progress::Progress;
use crate::recipe::Recipe;
use crate::recipes;
use crate::registries::keep;
use crate::registries::maven::coordinates::Coordinates;
use crate::registries::maven::lock::{Locked, read, request, write};
use crate::registries::maven::repack::repack;
use crate::registries::maven::{Jar, Repository, settings};
use crate::tree::Tree;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Where jars go if the recipe says nothing else.
const FOLDER: &str = "/opt/spark/jars";

/// Jars on their way into an image: the path there, and the checked file.
#[derive(Debug, Default)]
pub struct Jars {
    files: Vec<(PathBuf, PathBuf)>,
    versions: BTreeMap<String, String>,
}

/// Fetches the recipe's jars, and makes those that are made of others.
pub fn find(builder: &Builder<'_>, progress: &mut dyn Progress) -> Result<Jars, ImageError> {
    let recipe = builder.recipe;
    let wanted = wanted(recipe)?;
    let base = settings::of_this_machine();
    let repository = Repository { base: &base, recipe: &recipe.name };
    let asked = request(&wanted);
    let locked = recipes::lock(&recipe.name, "maven").filter(|_| !builder.newest).and_then(|text| read(text, &asked));
    let found = match locked {
        Some(locked) => {
            super::extras::room(builder, &repository.wanted(&locked))?;
            repository.fetch(builder.downloads, &locked, progress)?
        }
        None => unlocked(builder, &repository, &wanted, progress)?,
    };
    let (own, sources) = found.split_at(recipe.maven.len());
    let folder = Path::new(recipe.maven_into.as_deref().unwrap_or(FOLDER));
    let mut files: Vec<_> =
        own.iter().map(|jar| (folder.join(jar.locked.coordinates.file()), jar.path.clone())).collect();
    for (part, source) in recipe.repack.iter().zip(sources) {
        let bytes = repack(&source.path, &part.folder)?;
        files.push((PathBuf::from(&part.path), keep(builder.downloads, &bytes)?));
    }
    let shown = |jar: &&Jar| {
        let artifact = jar.locked.coordinates.artifact();
        recipe.maven_shown.as_ref().is_none_or(|shown| shown.iter().any(|name| name == artifact))
    };
    let version = |Jar { locked: Locked { coordinates, .. }, .. }: &Jar| {
        (coordinates.artifact().to_owned(), coordinates.version().to_owned())
    };
    Ok(Jars { files, versions: own.iter().filter(shown).map(version).collect() })
}

/// Puts them in place. Answers the versions of those that the recipe wants shown.
pub fn install(jars: &Jars, tree: &mut Tree) -> Result<BTreeMap<String, String>, ImageError> {
    for (path, file) in &jars.files {
        let mut content = File::open(file).map_err(ImageError::io("read", file))?;
        tree.file(path.strip_prefix("/").unwrap_or(path), &mut content, 0o644)?;
    }
    Ok(jars.versions.clone())
}

/// The lock of a recipe's jars: their versions are the recipe's own, what they are is asked of the repository.
pub fn lock(builder: &Builder<'_>, progress: &mut dyn Progress) -> Result<String, ImageError> {
    let wanted = wanted(builder.recipe)?;
    let base = settings::of_this_machine();
    let repository = Repository { base: &base, recipe: &builder.recipe.name };
    let jars = unlocked(builder, &repository, &wanted, progress)?;
    Ok(write(&request(&wanted), jars.iter().map(|jar| &jar.locked)))
}

fn unlocked(
    builder: &Builder<'_>,
    repository: &Repository<'_>,
    wanted: &[Coordinates],
    progress: &mut dyn Progress,
) -> Result<Vec<Jar>, ImageError> {
    let mut bytes = 0;
    let mut jars = Vec::new();
    for jar in wanted {
        let jar = repository.fetch_unlocked(builder.downloads, jar)?;
        bytes += jar.locked.size;
        progress.bytes(bytes, None);
        jars.push(jar);
    }
    Ok(jars)
}

/// What is asked of the repository.
pub fn wanted(recipe: &Recipe) -> Result<Vec<Coordinates>, ImageError> {
    recipe.jars().map_err(|why| ImageError::Recipe { recipe: recipe.name.clone(), why })
}
