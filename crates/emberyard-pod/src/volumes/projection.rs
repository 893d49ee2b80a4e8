//! Volumes that are files made from objects.

use super::stays_inside;
use crate::error::PodError;
use crate::facts::{Facts, Sources};
use crate::fields;
use crate::spec::{FileItem, Pod, Projection, VolumeKind};
use std::collections::{BTreeMap, BTreeSet};

/// A file of such a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Its mode.
    pub mode: u32,
}

/// A token a volume needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenRequest {
    /// Audience; empty is the API server's.
    pub audience: String,
    /// Life span, seconds.
    pub expiration: u64,
}

/// Names of the ConfigMaps and Secrets that the pod's volumes refer to.
pub fn references(pod: &Pod) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut maps, mut secrets) = (BTreeSet::new(), BTreeSet::new());
    for source in all_sources(pod) {
        match source {
            Projection::ConfigMap { name, .. } => _ = maps.insert(name.clone()),
            Projection::Secret { name, .. } => _ = secrets.insert(name.clone()),
            Projection::Downward { .. } | Projection::Token { .. } => {}
        }
    }
    (maps, secrets)
}

/// The tokens that the pod's volumes need.
pub fn tokens(pod: &Pod) -> BTreeSet<TokenRequest> {
    all_sources(pod)
        .filter_map(|source| match source {
            Projection::Token { audience, expiration, .. } => {
                Some(TokenRequest { audience: audience.clone(), expiration: *expiration })
            }
            _ => None,
        })
        .collect()
}

fn all_sources(pod: &Pod) -> impl Iterator<Item = &Projection> {
    pod.spec.volumes.iter().flat_map(|v| match &v.kind {
        VolumeKind::Files { sources, .. } => sources.as_slice(),
        _ => &[],
    })
}

/// The files of one volume by relative path. A token has no newline at its end: clients send it as it is.
///
/// # Errors
/// [`PodError`] when something that is not optional is missing, or a path leaves the volume.
pub fn files(
    pod: &Pod,
    sources: &[Projection],
    default_mode: u32,
    facts: &Facts,
    objects: &Sources,
    tokens: &BTreeMap<TokenRequest, String>,
) -> Result<BTreeMap<String, FileContent>, PodError> {
    let mut files = BTreeMap::new();
    let mut put = |path: &str, bytes: Vec<u8>, mode: Option<u32>| {
        stays_inside(path)?;
        files.insert(path.to_owned(), FileContent { bytes, mode: mode.unwrap_or(default_mode) });
        Ok(())
    };
    for source in sources {
        match source {
            Projection::ConfigMap { name, items, optional } => {
                pick(("configmap", "ConfigMap"), name, objects.config_map(name), items, *optional, &mut put)?;
            }
            Projection::Secret { name, items, optional } => {
                pick(("secret", "Secret"), name, objects.secret(name), items, *optional, &mut put)?;
            }
            Projection::Downward { items } => {
                for item in items {
                    let text = match (&item.field_ref, &item.resource_field_ref) {
                        (Some(wanted), _) => fields::field(pod, facts, &wanted.field_path)?,
                        (None, Some(wanted)) => fields::resource(pod, None, facts, wanted)?,
                        (None, None) => String::new(),
                    };
                    put(&item.path, text.into_bytes(), item.mode)?;
                }
            }
            Projection::Token { path, audience, expiration } => {
                let wanted = TokenRequest { audience: audience.clone(), expiration: *expiration };
                let account = &pod.spec.service_account_name;
                let missing = || PodError::Missing { kind: "token of service account", name: account.clone() };
                let token = tokens.get(&wanted).ok_or_else(missing)?;
                put(path, token.clone().into_bytes(), None)?;
            }
        }
    }
    Ok(files)
}

type Put<'a> = dyn FnMut(&str, Vec<u8>, Option<u32>) -> Result<(), PodError> + 'a;

fn pick(
    (word, kind): (&'static str, &'static str),
    name: &str,
    entries: Option<BTreeMap<String, Vec<u8>>>,
    items: &[FileItem],
    optional: bool,
    put: &mut Put<'_>,
) -> Result<(), PodError> {
    let Some(mut entries) = entries else {
        return if optional { Ok(()) } else { Err(PodError::Missing { kind: word, name: name.to_owned() }) };
    };
    if items.is_empty() {
        return entries.into_iter().try_for_each(|(key, bytes)| put(&key, bytes, None));
    }
    for item in items {
        match entries.remove(&item.key) {
            Some(bytes) => put(&item.path, bytes, item.mode)?,
            None if optional => {}
            None => return Err(PodError::MissingKey { kind, name: name.to_owned(), key: item.key.clone() }),
        }
    }
    Ok(())
}
