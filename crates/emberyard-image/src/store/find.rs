//! From a reference to the layers that run.

use super::Store;
use super::account::known;
use super::add::{CONTENTS, summary};
use crate::alias;
use crate::error::{ImageError, ResolveError};
use crate::image::{ImageConfig, ImageId, ImageSummary, ImageUser, Resolved};
use crate::oci::{Config, Descriptor, Manifest, NAME, Run};
use crate::recipes;
use crate::reference::Reference;

/// An image of the index with its documents.
pub(super) struct Found {
    pub name: String,
    pub manifest: Manifest,
    pub config: Config,
}

impl Found {
    pub(super) fn read(store: &Store, descriptor: &Descriptor) -> Result<Self, ImageError> {
        let manifest = store.manifest(descriptor)?;
        let config = store.config(&manifest)?;
        let name = descriptor.annotations.get(NAME).cloned().unwrap_or_default();
        Ok(Self { name, manifest, config })
    }

    pub(super) fn id(&self) -> ImageId {
        ImageId(self.manifest.config.digest.clone())
    }
}

pub(super) fn list(store: &Store) -> Result<Vec<ImageSummary>, ImageError> {
    let index = store.index()?;
    index
        .manifests
        .iter()
        .map(|descriptor| {
            let found = Found::read(store, descriptor)?;
            let labels = found.config.run.labels.clone().unwrap_or_default();
            Ok(summary(&found.name, found.id(), &found.manifest.layers, &labels))
        })
        .collect()
}

impl Store {
    /// The layers of a named image, base first.
    pub(crate) fn layers(&self, name: &str) -> Result<Vec<Descriptor>, ImageError> {
        let index = self.index()?;
        let descriptor = index.manifests.iter().find(|d| d.annotations.get(NAME).is_some_and(|n| n == name));
        descriptor.map_or(Ok(Vec::new()), |descriptor| Ok(self.manifest(descriptor)?.layers))
    }
}

pub(super) fn resolve(store: &Store, asked: &str) -> Result<Resolved, ResolveError> {
    let reference = Reference::parse(asked)?;
    let unreadable = |error: ImageError| ResolveError::Store { dir: store.dir().to_owned(), why: error.to_string() };
    let index = store.index().map_err(unreadable)?;
    let named = |name: &str| index.manifests.iter().find(|d| d.annotations.get(NAME).is_some_and(|n| n == name));
    let descriptor = match &reference.digest {
        Some(digest) => index.manifests.iter().find(|descriptor| {
            descriptor.digest == *digest || store.manifest(descriptor).is_ok_and(|m| m.config.digest == *digest)
        }),
        None => {
            let tagged = reference.tag.as_ref().and_then(|tag| named(&format!("{}:{tag}", reference.name)));
            tagged.or_else(|| named(&reference.name)).or_else(|| named(alias::stand_in(&reference.name)?))
        }
    };
    let descriptor = descriptor.ok_or_else(|| unknown(asked, &reference, &index.manifests))?;
    let found = Found::read(store, descriptor).map_err(unreadable)?;
    let labels = found.config.run.labels.clone().unwrap_or_default();
    let spark = labels.get(&format!("{CONTENTS}pyspark")).map(String::as_str);
    let lowers: Vec<_> = found.config.rootfs.diff_ids.iter().rev().map(|digest| store.layer(digest)).collect();
    if let Some(missing) = lowers.iter().find(|layer| !layer.is_dir()) {
        return Err(ResolveError::Store {
            dir: store.dir().to_owned(),
            why: format!("{} is missing", missing.display()),
        });
    }
    let id = found.id();
    let mut config = image_config(found.config.run);
    config.user = known(config.user, &lowers);
    let by_digest = reference.digest.is_some() || found.name == asked;
    Ok(Resolved {
        id,
        reference: asked.to_owned(),
        alias: if by_digest { None } else { alias::said(asked, &reference, &found.name, spark) },
        name: found.name,
        lowers,
        config,
    })
}

fn unknown(asked: &str, reference: &Reference, manifests: &[Descriptor]) -> ResolveError {
    let mut known: Vec<String> = manifests.iter().filter_map(|d| d.annotations.get(NAME).cloned()).collect();
    let stands_in = alias::stand_in(&reference.name).map(str::to_owned);
    let build = match stands_in.or_else(|| recipes::find(&reference.name).map(|recipe| recipe.name)) {
        Some(name) => format!("emberyard image build {name}"),
        None => "emberyard image build RECIPE.toml (or: emberyard image import FILE.tar)".to_owned(),
    };
    known.extend(
        alias::names()
            .filter(|name| alias::stand_in(name).is_some_and(|n| known.iter().any(|k| k == n)))
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    );
    known.sort();
    known.dedup();
    ResolveError::Unknown { reference: asked.to_owned(), known, build }
}

/// How an image of any origin starts.
pub(crate) fn image_config(run: Run) -> ImageConfig {
    let Run { user, env, entrypoint, cmd, working_dir, labels } = run;
    let env = env
        .iter()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let workdir = if working_dir.is_empty() { "/".to_owned() } else { working_dir };
    ImageConfig {
        env,
        entrypoint: entrypoint.unwrap_or_default(),
        cmd: cmd.unwrap_or_default(),
        user: image_user(&user),
        workdir,
        labels: labels.unwrap_or_default(),
    }
}

/// `uid[:gid]`; a foreign image's user by name, or none, counts as root.
fn image_user(text: &str) -> ImageUser {
    let own = crate::debian::system::user();
    let (uid, gid) = text.split_once(':').unwrap_or((text, ""));
    let uid = uid.parse().unwrap_or(0);
    if uid == own.uid {
        return own;
    }
    ImageUser { uid, gid: gid.parse().unwrap_or(uid), name: "root".to_owned(), home: "/root".to_owned() }
}
