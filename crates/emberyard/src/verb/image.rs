//! `image`: environments from recipes.

use super::up::running;
use crate::api::{admin, api};
use crate::cli::{Form, ImageVerb};
use crate::error::Failure;
use crate::output::{self, Listing};
use crate::progress::{Step, note};
use crate::yard::versions::PROGRAM;
use crate::yard::{Settings, YardDir};
use emberyard_image::{BuildOptions, ImageError, ImageId, ImageSummary, Progress, Recipe, Stage, Store, recipes};
use emberyard_model::Explained;
use serde::Serialize;
use std::fs::{self, File};
use std::path::Path;

/// What a session needs.
const WANTED: [&str; 2] = ["spark-py", "pyspark-notebook"];

fn failed(error: impl Explained) -> Failure {
    Failure::image(&error)
}

/// Runs the verb.
pub async fn run(dir: &YardDir, verb: &ImageVerb, form: Form) -> Result<(), Failure> {
    if let ImageVerb::Build { recipe } = verb {
        preflight(dir, Settings::load(dir)?.as_ref(), recipe).await?;
    }
    dir.create().map_err(|source| Failure::Folder { path: dir.path().to_path_buf(), source })?;
    let images = Settings::load(dir)?.map_or_else(|| dir.images(), |settings| settings.images(dir));
    let store = Store::open(&images).map_err(failed)?;
    let mut shown = Shown::default();
    match verb {
        ImageVerb::List => Ok(output::listing(form, &Images { items: store.list().map_err(failed)? })?),
        ImageVerb::Build { recipe } => build(dir, store, recipe.clone()).await,
        ImageVerb::Import { file } => {
            let mut archive = File::open(file).map_err(|source| Failure::Folder { path: file.clone(), source })?;
            let image = store.import(&mut archive, None, &mut shown).map_err(failed)?;
            Ok(output::line(&image.name)?)
        }
        ImageVerb::Export { image, file } => export(&store, image, file, &mut shown),
        ImageVerb::Prune => {
            let freed = store.prune(&[], &in_use(dir).await?).map_err(failed)?;
            Ok(output::line(&format!("{} MiB freed", freed >> 20))?)
        }
    }
}

/// Writes an archive whole or not at all: what has its name stays until then.
fn export(store: &Store, image: &str, file: &Path, shown: &mut Shown) -> Result<(), Failure> {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let io = |source| Failure::Folder { path: file.to_owned(), source };
    let mut archive = File::create(part).map_err(io)?;
    let exported = store.export(image, &mut archive, shown).map_err(failed);
    let exported = exported.and_then(|()| archive.sync_all().and_then(|()| fs::rename(part, file)).map_err(io));
    if exported.is_err() {
        let _ = fs::remove_file(part);
    }
    exported
}

/// Images from which pods of this yard run, where it is up.
async fn in_use(dir: &YardDir) -> Result<Vec<ImageId>, Failure> {
    if running(dir).is_none() {
        return Ok(Vec::new());
    }
    let pods = admin(dir).await?.list("/api/v1/pods", &[]).await.map_err(api)?.0;
    let statuses = pods.iter().flat_map(|pod| {
        ["containerStatuses", "initContainerStatuses"].into_iter().filter_map(|list| pod["status"][list].as_array())
    });
    // NAME@sha256:…
    let ids = statuses.flatten().filter_map(|status| Some(status["imageID"].as_str()?.split_once('@')?.1.to_owned()));
    Ok(ids.map(ImageId).collect())
}

/// Builds what a session needs and the store does not have; says first what it will cost.
pub async fn ensure(dir: &YardDir, settings: &Settings) -> Result<(), Failure> {
    let store = Store::open(&settings.images(dir)).map_err(failed)?;
    let missing: Vec<&str> = WANTED.into_iter().filter(|name| store.resolve(name).is_err()).collect();
    if missing.is_empty() {
        return outdated(&store);
    }
    note(
        "First start: images are built from Debian and PyPI packages; about 700 MB of downloads, 3 GB of disk and 3 to 6 minutes.",
    );
    for name in missing {
        build(dir, store.clone(), name.to_owned()).await?;
    }
    Ok(())
}

/// Builds one image if the store does not have it.
pub async fn ensure_one(dir: &YardDir, settings: &Settings, name: &str) -> Result<(), Failure> {
    let store = Store::open(&settings.images(dir)).map_err(failed)?;
    if store.resolve(name).is_ok() {
        return Ok(());
    }
    preflight(dir, Some(settings), name).await?;
    build(dir, store, name.to_owned()).await
}

/// Says which images another version of this program built. They go on serving: a build takes minutes.
fn outdated(store: &Store) -> Result<(), Failure> {
    for name in WANTED {
        if !emberyard_image::is_current(store, name).map_err(failed)? {
            note(&format!(
                "image {name} is not what emberyard {PROGRAM} builds: `emberyard image build {name}` makes it anew"
            ));
        }
    }
    Ok(())
}

/// Refuses a first build that can't succeed, before anything is changed: the registries are asked.
async fn preflight(dir: &YardDir, settings: Option<&Settings>, name: &str) -> Result<(), Failure> {
    let recipe = recipe(name)?;
    let images = settings.map_or_else(|| dir.images(), |settings| settings.images(dir));
    // An image that is there may be built again from what was fetched before.
    if images.exists() && Store::open(&images).map_err(failed)?.resolve(&recipe.name).is_ok() {
        return Ok(());
    }
    let asked = tokio::task::spawn_blocking(move || emberyard_image::ask(&recipe));
    asked.await.map_err(|error| Failure::no_image(error.to_string()))?.map_err(failed)
}

/// The same for all that a session needs.
pub async fn preflight_session(dir: &YardDir, settings: &Settings) -> Result<(), Failure> {
    for name in WANTED {
        preflight(dir, Some(settings), name).await?;
    }
    Ok(())
}

async fn build(dir: &YardDir, store: Store, name: String) -> Result<(), Failure> {
    let recipe = recipe(&name)?;
    let options = BuildOptions { cache_dir: dir.cache(), again: false, newest: false };
    // Ctrl-C ends the process at once: the store takes only whole layers, and downloads resume.
    let built =
        tokio::task::spawn_blocking(move || emberyard_image::build(&store, &recipe, &mut Shown::default(), &options));
    let image = built.await.map_err(|error| Failure::no_image(error.to_string()))?.map_err(failed)?;
    note(&format!("image {} is there ({} MiB)", image.name, image.bytes >> 20));
    Ok(())
}

fn recipe(name: &str) -> Result<Recipe, Failure> {
    if let Some(recipe) = recipes::builtin().into_iter().find(|recipe| recipe.name == name) {
        return Ok(recipe);
    }
    let text = std::fs::read_to_string(name).map_err(|_| {
        let known: Vec<String> = recipes::builtin().into_iter().map(|recipe| recipe.name).collect();
        Failure::no_image(format!("{name} is neither a built-in recipe ({}) nor a file", known.join(", ")))
    })?;
    Recipe::parse(&text, name).map_err(|error: ImageError| failed(error))
}

#[derive(Serialize)]
#[serde(transparent)]
struct Images {
    items: Vec<ImageSummary>,
}

impl Listing for Images {
    fn columns(&self) -> (&'static [&'static str], usize) {
        (&["NAME", "SIZE", "ID", "CONTENTS"], 3)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |image: &ImageSummary| {
            let contents: Vec<String> =
                image.contents.iter().map(|(name, version)| format!("{name} {version}")).collect();
            vec![image.name.clone(), format!("{} MiB", image.bytes >> 20), image.id.0.clone(), contents.join(", ")]
        };
        self.items.iter().map(row).collect()
    }
}

/// A build's progress as one moving line.
#[derive(Default)]
struct Shown {
    step: Option<Step>,
    title: String,
}

impl Progress for Shown {
    fn stage(&mut self, stage: &Stage) {
        if let Some(step) = self.step.take() {
            step.done(&self.title);
        }
        self.title = format!("{}/{} {}", stage.step, stage.of, stage.title);
        self.step = Some(Step::begin(self.title.clone()));
    }

    fn bytes(&mut self, done: u64, total: Option<u64>) {
        let Some(step) = &mut self.step else { return };
        match total {
            Some(total) => step.amount(&format!("{} {} of {} MiB", self.title, done >> 20, total >> 20)),
            None => step.amount(&format!("{} {} MiB", self.title, done >> 20)),
        }
    }

    fn note(&mut self, text: &str) {
        note(&format!("  {text}"));
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(step) = self.step.take() {
            step.done(&self.title);
        }
    }
}
