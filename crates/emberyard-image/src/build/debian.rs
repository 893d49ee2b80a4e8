//! The Debian part of a layer.

use super::Builder;
use super::stages::Stages;
use crate::debian::lock::{Locked, changes, read, request, write};
use crate::debian::mirrors::Mirrors;
use crate::debian::solve::{Unsolved, closure};
use crate::debian::{RELEASE, indexes, system, unpack};
use crate::error::ImageError;
use crate::inside::Inside;
use crate::net::FetchError;
use crate::progress::Progress;
use crate::recipes;
use crate::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Downloads and unpacks the recipe's packages and what they depend on. Answers the versions of those it names.
pub fn install(
    builder: &Builder<'_>,
    inside: &Inside,
    stages: &mut Stages,
    progress: &mut dyn Progress,
) -> Result<BTreeMap<String, String>, ImageError> {
    let recipe = builder.recipe;
    let status = inside.find(system::STATUS).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let present: BTreeSet<String> = system::installed(&status).map(str::to_owned).collect();
    stages.next(progress, "downloading Debian packages");
    let (packages, files) = fetch(builder, &present, progress)?;
    stages.next(progress, &format!("unpacking {} Debian packages", packages.len()));
    let first = inside.lowers.is_empty();
    let mut tree = Tree::over(&inside.upper(), &inside.lowers);
    if first {
        system::begin(&mut tree)?;
    }
    let total = packages.iter().map(|package| package.size).sum();
    let mut done = 0;
    for (package, file) in packages.iter().zip(&files) {
        unpack::unpack(file, &mut tree)?;
        done += package.size;
        progress.bytes(done, Some(total));
    }
    if first {
        system::complete(&mut tree)?;
    }
    let text = status + &system::status(&packages);
    tree.file(Path::new(system::STATUS), &mut text.as_bytes(), 0o644)?;
    links(recipe, &mut tree)?;
    if inside.find("/usr/sbin/ldconfig").is_some() {
        inside.run("noting where libraries lie (ldconfig)", &["/usr/sbin/ldconfig"], &[], &[], &mut |_| {})?;
    }
    let named = packages.iter().filter(|package| recipe.debian.contains(&package.name));
    Ok(named.map(|package| (package.name.clone(), package.version.clone())).collect())
}

/// The recipe's links, which programs run during the build may need already.
fn links(recipe: &crate::Recipe, tree: &mut Tree) -> Result<(), ImageError> {
    recipe
        .links
        .iter()
        .try_for_each(|(path, target)| tree.link(Path::new(path.trim_start_matches('/')), Path::new(target)))
}

/// The locked packages; where the pool has dropped one, or there is no lock, the newest.
fn fetch(
    builder: &Builder<'_>,
    present: &BTreeSet<String>,
    progress: &mut dyn Progress,
) -> Result<(Vec<Locked>, Vec<PathBuf>), ImageError> {
    let recipe = builder.recipe;
    let mirrors = Mirrors::of_this_machine();
    let asked = request(&recipe.debian, &recipe.without);
    let locked = recipes::lock(&recipe.name, "debian").filter(|_| !builder.newest).and_then(|text| read(text, &asked));
    if let Some(locked) = &locked {
        match download(builder, locked, &mirrors, progress)? {
            Ok(files) => return Ok((locked.clone(), files)),
            Err(gone) => progress.note(&format!("the locked {gone} is no longer in Debian's pool; choosing anew")),
        }
    }
    let packages = solve(builder, &mirrors, present, progress)?;
    if let Some(locked) = &locked {
        for change in changes(locked, &packages) {
            progress.note(&format!("unlocked: {change}"));
        }
    }
    match download(builder, &packages, &mirrors, progress)? {
        Ok(files) => Ok((packages, files)),
        Err(gone) => Err(ImageError::NoSuchPackage {
            recipe: recipe.name.clone(),
            package: gone,
            registry: format!("Debian {RELEASE} ({})", mirrors.main[0]),
            why: "its index names it, but the file is not there; the mirror is being updated".to_owned(),
        }),
    }
}

/// The files, or the first package that no mirror has any more.
fn download(
    builder: &Builder<'_>,
    packages: &[Locked],
    mirrors: &Mirrors,
    progress: &mut dyn Progress,
) -> Result<Result<Vec<PathBuf>, String>, ImageError> {
    let wanted: Vec<_> = packages.iter().map(|package| package.wanted(mirrors)).collect();
    super::extras::room(builder, &wanted)?;
    let mut files = Vec::new();
    for (package, answer) in packages.iter().zip(builder.downloads.fetch(&wanted, progress)) {
        match answer {
            Ok(file) => files.push(file),
            Err(FetchError::Gone { .. }) => return Ok(Err(format!("{}={}", package.name, package.version))),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Ok(files))
}

fn solve(
    builder: &Builder<'_>,
    mirrors: &Mirrors,
    present: &BTreeSet<String>,
    progress: &mut dyn Progress,
) -> Result<Vec<Locked>, ImageError> {
    let recipe = builder.recipe;
    let index = indexes::read(builder.downloads, mirrors, progress)?;
    let registry = format!("Debian {RELEASE}");
    let chosen = closure(&index, &recipe.debian, &recipe.without, present).map_err(|unsolved| match unsolved {
        Unsolved::Missing { package, why } => {
            ImageError::NoSuchPackage { recipe: recipe.name.clone(), package, registry, why }
        }
        Unsolved::Unmet { by, what } => {
            let why = format!("{by} needs {what}, which is not there");
            ImageError::Unsolvable { recipe: recipe.name.clone(), registry, why }
        }
    })?;
    Ok(chosen.values().map(Locked::from).collect())
}

/// The lock of a recipe's Debian packages as of now.
pub fn lock(builder: &Builder<'_>, progress: &mut dyn Progress) -> Result<String, ImageError> {
    let recipe = builder.recipe;
    let packages = solve(builder, &Mirrors::of_this_machine(), &BTreeSet::new(), progress)?;
    Ok(write(&request(&recipe.debian, &recipe.without), &packages))
}
