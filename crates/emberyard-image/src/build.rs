//! From a recipe to an image in the store.

mod ask;
mod debian;
mod extras;
mod locks;
mod maven;
mod pypi;
mod stages;

pub use ask::ask;
pub use locks::{Lock, lock};

use crate::debian::system;
use crate::digest::sha256;
use crate::error::ImageError;
use crate::image::{ImageConfig, ImageSummary, Resolved};
use crate::inside::Inside;
use crate::net::{Downloads, Http};
use crate::oci::Descriptor;
use crate::progress::Progress;
use crate::recipe::Recipe;
use crate::recipes;
use crate::store::{CONTENTS, Held, NewImage, Store};
use crate::tree::settle;
use crate::{layer, python};
use stages::Stages;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Raised when the same recipe would give another image.
const FORMAT: u32 = 2;

/// Label with what an image was built from: the digest of its recipe, locks and the image below.
const RECIPE: &str = "dev.emberyard.recipe";

/// How to build.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// Folder of downloads and of the Python packager's cache; kept between builds.
    pub cache_dir: PathBuf,
    /// Build even if the store already has this very image.
    pub again: bool,
    /// Choose the newest versions instead of the locked ones.
    pub newest: bool,
}

/// Builds `recipe`, and what it stands on where that is missing, and gives it its name in the store.
///
/// Nothing is changed before every package has been found; an interrupted build leaves only downloads, which the next
/// one uses. An image that is already there unchanged is not built again.
pub fn build(
    store: &Store,
    recipe: &Recipe,
    progress: &mut dyn Progress,
    options: &BuildOptions,
) -> Result<ImageSummary, ImageError> {
    let cache_dir = &options.cache_dir;
    fs::create_dir_all(cache_dir).map_err(ImageError::io("create", cache_dir))?;
    let cache_dir = cache_dir.canonicalize().map_err(ImageError::io("find", cache_dir))?;
    let held = store.hold(progress)?;
    let downloads = Downloads::open(&cache_dir, Http::new())?;
    let mut chain = vec![recipe.clone()];
    while let Some(from) = chain.last().and_then(|last| last.from.clone()) {
        match recipes::find(&from) {
            Some(below) => chain.push(below),
            None => break,
        }
    }
    chain.reverse();
    let mut stages = Stages::of(&chain);
    let mut result = None;
    for recipe in &chain {
        let again = options.again && recipe.name == chain[chain.len() - 1].name;
        let builder = Builder {
            store,
            held: &held,
            downloads: &downloads,
            cache_dir: &cache_dir,
            recipe,
            newest: options.newest,
        };
        result = Some(builder.image(again, &mut stages, progress)?);
    }
    result.ok_or_else(|| ImageError::Recipe { recipe: recipe.name.clone(), why: "it is empty".to_owned() })
}

/// Whether the store's image of a built-in recipe is what this program would build now: another version may have built it,
/// or its user from a recipe of the same name.
///
/// # Errors
/// The recipe is not built in, or it or what it stands on is not in the store.
pub fn is_current(store: &Store, name: &str) -> Result<bool, ImageError> {
    let unknown = || ImageError::Recipe { recipe: name.to_owned(), why: "it is not built in".to_owned() };
    let recipe = recipes::find(name).ok_or_else(unknown)?;
    let below = recipe.from.as_deref().map(|from| store.resolve(from)).transpose()?;
    Ok(store.resolve(name)?.config.labels.get(RECIPE) == Some(&key(&recipe, below.as_ref())))
}

/// What an image will be made of, as one digest.
fn key(recipe: &Recipe, below: Option<&Resolved>) -> String {
    let mut locks = Vec::from(["debian", "pypi"].map(|registry| recipes::lock(&recipe.name, registry)));
    // Where there is one: images without jars stay what they were before jars were locked.
    locks.extend(recipes::lock(&recipe.name, "maven").map(Some));
    // By its layers and settings: that an image below was locked anew to the same packages changes nothing here.
    let below = below.map(|below| {
        let mut config = below.config.clone();
        config.labels.remove(RECIPE);
        let layers: Vec<_> =
            below.lowers.iter().filter_map(|layer| layer.file_name()).map(|n| n.to_string_lossy()).collect();
        (layers, config)
    });
    let text = serde_json::json!([FORMAT, recipe, locks, below, python::ENVIRONMENT]).to_string();
    sha256(text.as_bytes())
}

/// One recipe on its way to an image.
struct Builder<'a> {
    store: &'a Store,
    held: &'a Held,
    downloads: &'a Downloads,
    cache_dir: &'a PathBuf,
    recipe: &'a Recipe,
    newest: bool,
}

impl Builder<'_> {
    fn image(&self, again: bool, stages: &mut Stages, progress: &mut dyn Progress) -> Result<ImageSummary, ImageError> {
        let below = match &self.recipe.from {
            Some(from) => Some(self.store.resolve(from).map_err(|_| self.no_base(from))?),
            None => None,
        };
        let key = key(self.recipe, below.as_ref());
        let there = self.store.list()?.into_iter().find(|image| image.name == self.recipe.name);
        if let Some(there) = there.filter(|_| !again) {
            let same = self.store.resolve(&there.name).is_ok_and(|image| image.config.labels.get(RECIPE) == Some(&key));
            if same {
                stages.skip(self.recipe);
                return Ok(there);
            }
        }
        let config = self.config(below.as_ref(), key);
        let lowers = below.as_ref().map(|below| below.lowers.clone()).unwrap_or_default();
        let inside = Inside {
            lowers,
            scratch: self.held.scratch(&format!("build-{}", self.recipe.name.replace('/', "-")))?,
            env: config.env.clone(),
        };
        let upper = inside.upper();
        fs::create_dir_all(&upper).map_err(ImageError::io("create", &upper))?;
        let contents = self.fill(&inside, below.as_ref(), stages, progress)?;
        stages.next(progress, "storing the layer");
        self.stored(below.as_ref(), config, &inside, contents)
    }

    /// Everything between the empty layer and the full one. Answers the versions of what is inside.
    fn fill(
        &self,
        inside: &Inside,
        below: Option<&Resolved>,
        stages: &mut Stages,
        progress: &mut dyn Progress,
    ) -> Result<BTreeMap<String, String>, ImageError> {
        let mut contents = BTreeMap::new();
        // What can be asked for now is found before anything is unpacked.
        let extras = extras::find(self, stages, progress)?;
        if !self.recipe.debian.is_empty() {
            contents.extend(debian::install(self, inside, stages, progress)?);
        }
        if !self.recipe.pypi.is_empty() {
            contents.extend(pypi::install(self, inside, stages, progress)?);
        }
        contents.extend(extras::install(self, &extras, inside)?);
        settle(&inside.upper())?;
        let adds = !self.recipe.debian.is_empty() || !self.recipe.pypi.is_empty();
        if adds && inside.find("/usr/bin/python3").is_some() {
            pypi::compile(inside)?;
        }
        for finish in self.finishes(inside, below) {
            stages.next(progress, &finish.title);
            let argv: Vec<&str> = finish.run.iter().map(String::as_str).collect();
            // What a program has to say to the user begins so; the rest matters only if it fails.
            inside.run(&finish.title, &argv, &[], &[], &mut |line| {
                if let Some(note) = line.strip_prefix("note: ") {
                    progress.note(note);
                }
            })?;
            // The next one finds what this one made as it will lie in the image: a class-data archive, for one, is only good
            // for jars of the very times that it saw.
            settle(&inside.upper())?;
        }
        Ok(contents)
    }

    /// The recipe's own finishing programs, and those below whose subject this layer changes.
    fn finishes(&self, inside: &Inside, below: Option<&Resolved>) -> Vec<crate::recipe::Finish> {
        let mut all = Vec::new();
        let mut name = below.map(|below| below.name.clone());
        while let Some(recipe) = name.as_deref().and_then(recipes::find) {
            let changed = |path: &String| inside.upper().join(path.trim_start_matches('/')).exists();
            all.extend(
                recipe.finish.into_iter().filter(|finish| finish.again_when_changed.as_ref().is_some_and(changed)),
            );
            name = recipe.from;
        }
        all.extend(self.recipe.finish.iter().cloned());
        all
    }

    fn stored(
        &self,
        below: Option<&Resolved>,
        mut config: ImageConfig,
        inside: &Inside,
        contents: BTreeMap<String, String>,
    ) -> Result<ImageSummary, ImageError> {
        let upper = inside.upper();
        layer::unmark(&upper, &inside.lowers)?;
        settle(&upper)?;
        config.labels.extend(contents.into_iter().map(|(name, version)| (format!("{CONTENTS}{name}"), version)));
        let mut layers: Vec<Descriptor> = match below {
            Some(below) => self.store.layers(&below.name)?,
            None => Vec::new(),
        };
        layers.push(self.store.add_layer(self.held, &upper)?);
        self.store.add_image(self.held, &NewImage { name: &self.recipe.name, layers, config: &config })
    }

    fn config(&self, below: Option<&Resolved>, key: String) -> ImageConfig {
        let mut config = below.map(|below| below.config.clone()).unwrap_or_else(|| ImageConfig {
            env: BTreeMap::new(),
            entrypoint: Vec::new(),
            cmd: vec!["/bin/bash".to_owned()],
            user: system::user(),
            workdir: "/".to_owned(),
            labels: BTreeMap::new(),
        });
        config.env.extend(self.recipe.env.clone());
        if let Some(entrypoint) = &self.recipe.entrypoint {
            config.entrypoint.clone_from(entrypoint);
        }
        if let Some(cmd) = &self.recipe.cmd {
            config.cmd.clone_from(cmd);
        }
        if let Some(workdir) = &self.recipe.workdir {
            config.workdir.clone_from(workdir);
        }
        if let Some(name) = &self.recipe.user {
            config.user = system::named(name);
        }
        config.labels.insert(RECIPE.to_owned(), key);
        config
    }

    fn no_base(&self, from: &str) -> ImageError {
        let why = format!("it stands on \"{from}\", which is neither built in nor in the store");
        ImageError::Recipe { recipe: self.recipe.name.clone(), why }
    }
}
