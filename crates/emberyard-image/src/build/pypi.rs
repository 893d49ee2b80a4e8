//! The Python part of a layer.

use super::Builder;
use super::stages::Stages;
use crate::error::ImageError;
use crate::inside::Inside;
use crate::progress::Progress;
use crate::python::environment::Python;
use crate::python::lock::{Locked, line, read, request, write};
use crate::python::settings::Indexes;
use crate::python::{ENVIRONMENT, index};
use crate::recipes;
use crate::tree::Tree;
use std::collections::BTreeMap;
use std::path::Path;

/// Where an image keeps the list of what its environment holds, for those built on it.
const LIST: &str = "usr/share/emberyard/pypi.lock";

/// Fetches and installs the recipe's packages. Answers the versions of those it names.
pub fn install(
    builder: &Builder<'_>,
    inside: &Inside,
    stages: &mut Stages,
    progress: &mut dyn Progress,
) -> Result<BTreeMap<String, String>, ImageError> {
    let recipe = builder.recipe;
    let indexes = Indexes::of_this_machine();
    let python = python(builder, inside, &indexes);
    stages.next(progress, "downloading Python packages");
    let below = below(inside);
    let asked = request(&recipe.pypi);
    let locked = recipes::lock(&recipe.name, "pypi").filter(|_| !builder.newest).and_then(|text| read(text, &asked));
    let files = match locked {
        Some(locked) => locked,
        None => new(python.lock(&recipe.pypi, &below, progress)?, &below),
    };
    let wanted: Vec<_> = files.iter().map(|file| file.wanted(Vec::new())).collect();
    super::extras::room(builder, &wanted)?;
    python.fetch(&files, progress)?;
    stages.next(progress, &format!("installing {} Python packages", files.iter().filter(|file| !file.build).count()));
    python.install(&files, progress)?;
    let kept = below.iter().filter(|old| files.iter().all(|new| new.name != old.name));
    let list: Vec<Locked> = kept.chain(&files).cloned().collect();
    let mut tree = Tree::over(&inside.upper(), &inside.lowers);
    tree.file(Path::new(LIST), &mut write(&asked, &list).as_bytes(), 0o644)?;
    let names: Vec<String> = recipe.pypi.iter().map(|wanted| index::normalised(index::name(wanted))).collect();
    let named = |file: &&Locked| names.contains(&file.name);
    let run = files.iter().filter(|file| !file.build).filter(named);
    Ok(run.map(|file| (file.name.clone(), file.version.clone())).collect())
}

fn python<'a>(builder: &Builder<'a>, inside: &'a Inside, indexes: &'a Indexes) -> Python<'a> {
    let Builder { recipe, downloads, cache_dir, .. } = *builder;
    Python { inside, downloads, indexes, cache: cache_dir, recipe: &recipe.name }
}

/// What the environment holds already, by the layers below.
fn below(inside: &Inside) -> Vec<Locked> {
    let text = inside.find(LIST).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    text.lines().filter_map(line).collect()
}

/// What a layer adds: all but the versions that are below already.
fn new(files: Vec<Locked>, below: &[Locked]) -> Vec<Locked> {
    let there =
        |file: &Locked| below.iter().any(|old| !old.build && old.name == file.name && old.version == file.version);
    files.into_iter().filter(|file| file.build || !there(file)).collect()
}

/// Compiles Python files ahead, so that no container does it again at each start.
pub fn compile(inside: &Inside) -> Result<(), ImageError> {
    // A few files of any environment are templates or made to be broken; that they don't compile is no failure.
    let script = format!(
        "for python in {ENVIRONMENT}/bin/python /usr/bin/python3; do [ -x $python ] || continue; \
         folders=$($python -c 'import sysconfig; print(sysconfig.get_path(\"stdlib\"), sysconfig.get_path(\"purelib\"))'); \
         $python -m compileall -qq -j 0 -x '/(tests?|idlelib|lib2to3)/' $folders; break; done; true"
    );
    inside.run("compiling Python files", &["/bin/sh", "-c", &script], &[], &[], &mut |_| {})
}

/// The lock of a recipe's Python packages as of now, on an image that is there.
pub fn lock(builder: &Builder<'_>, inside: &Inside, progress: &mut dyn Progress) -> Result<String, ImageError> {
    let indexes = Indexes::of_this_machine();
    let python = python(builder, inside, &indexes);
    let below = below(inside);
    let mut files = new(python.lock(&builder.recipe.pypi, &below, progress)?, &below);
    for file in files.iter_mut().filter(|file| file.size.is_none()) {
        file.size = builder.downloads.http().open(&file.url, 0, None)?.length;
    }
    Ok(write(&request(&builder.recipe.pypi), &files))
}
