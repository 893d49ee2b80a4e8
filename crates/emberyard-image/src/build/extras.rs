//! The rest of a layer: jars, npm packages, links, files; and the check that there is room for it.

use super::stages::Stages;
use super::{Builder, maven};
use crate::debian::system;
use crate::error::ImageError;
use crate::inside::Inside;
use crate::net::Wanted;
use crate::progress::Progress;
use crate::recipe::Recipe;
use crate::registries::npm;
use crate::tree::Tree;
use std::collections::BTreeMap;
use std::path::Path;

/// Unpacked packages, compiled files and the archive take about this many times the download.
const GROWTH: u64 = 3;

/// Jars and npm packages, fetched and checked.
#[derive(Debug, Default)]
pub struct Extras {
    jars: maven::Jars,
    npm: Vec<npm::Unpacked>,
}

/// Fetches what the recipe names of Maven and npm.
pub fn find(builder: &Builder<'_>, stages: &mut Stages, progress: &mut dyn Progress) -> Result<Extras, ImageError> {
    let recipe = builder.recipe;
    if !needed(recipe) {
        return Ok(Extras::default());
    }
    let title = match (recipe.npm.is_empty(), recipe.maven.is_empty() && recipe.repack.is_empty()) {
        (true, _) => "downloading jars",
        (_, true) => "downloading npm packages",
        _ => "downloading jars and npm packages",
    };
    stages.next(progress, title);
    let jars = maven::find(builder, progress)?;
    let npm = recipe.npm.iter().map(|package| npm::fetch(builder.downloads, &recipe.name, package));
    Ok(Extras { jars, npm: npm.collect::<Result<_, _>>()? })
}

/// Does the recipe name anything of Maven or npm?
pub fn needed(recipe: &Recipe) -> bool {
    !recipe.maven.is_empty() || !recipe.repack.is_empty() || !recipe.npm.is_empty()
}

/// Puts them, the user, the links and the files in place. Answers the versions of the jars to be shown.
pub fn install(
    builder: &Builder<'_>,
    extras: &Extras,
    inside: &Inside,
) -> Result<BTreeMap<String, String>, ImageError> {
    let recipe = builder.recipe;
    let mut tree = Tree::over(&inside.upper(), &inside.lowers);
    let versions = maven::install(&extras.jars, &mut tree)?;
    if let Some(name) = &recipe.user {
        system::accounts(&system::named(name), &mut tree)?;
    }
    for package in &extras.npm {
        npm::unpack(package, &mut tree)?;
    }
    for (path, target) in &recipe.links {
        tree.link(Path::new(path.trim_start_matches('/')), Path::new(target))?;
    }
    for file in &recipe.files {
        let mode = if file.executable { 0o755 } else { 0o644 };
        let text = file.text.as_deref().unwrap_or_default();
        tree.file(Path::new(file.path.trim_start_matches('/')), &mut text.as_bytes(), mode)?;
    }
    Ok(versions)
}

/// Refuses to begin what the disk can't take.
pub fn room(builder: &Builder<'_>, wanted: &[Wanted]) -> Result<(), ImageError> {
    let size = |item: &Wanted| item.size.unwrap_or(0);
    let missing: u64 = wanted.iter().filter(|item| !builder.downloads.path(&item.sha256).is_file()).map(size).sum();
    let layer: u64 = wanted.iter().map(size).sum::<u64>() * GROWTH;
    for (dir, needed) in [(builder.cache_dir.as_path(), missing), (builder.store.dir(), layer)] {
        let stat = rustix::fs::statvfs(dir).map_err(|e| ImageError::io("measure", dir)(e.into()))?;
        let (free_mib, needed_mib) = ((stat.f_bavail * stat.f_frsize) >> 20, needed >> 20);
        if free_mib < needed_mib {
            return Err(ImageError::Disk { dir: dir.to_owned(), free_mib, needed_mib });
        }
    }
    Ok(())
}
