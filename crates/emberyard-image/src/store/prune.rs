//! Takes away what no name needs.

use super::Store;
use super::find::Found;
use super::lock::remove;
use crate::error::ImageError;
use crate::image::ImageId;
use crate::layer;
use crate::oci::NAME;
use crate::progress::Silent;
use std::collections::BTreeSet;
use std::fs;

pub(super) fn prune(store: &Store, names: &[String], in_use: &[ImageId]) -> Result<u64, ImageError> {
    let _held = store.hold(&mut Silent)?;
    let mut index = store.index()?;
    let mut needed = BTreeSet::new();
    let mut kept = Vec::new();
    for descriptor in index.manifests {
        let found = Found::read(store, &descriptor);
        let unnamed = descriptor.annotations.get(NAME).is_some_and(|name| names.contains(name));
        let used = found.as_ref().is_ok_and(|found| in_use.contains(&found.id()));
        // A damaged image without a wish to keep it is let go, so that it can be built anew.
        let Ok(found) = found else { continue };
        if unnamed && !used {
            continue;
        }
        needed.insert(descriptor.digest.clone());
        needed.insert(found.manifest.config.digest.clone());
        needed.extend(found.config.rootfs.diff_ids.clone());
        kept.push(descriptor);
    }
    // An image that was built anew has lost its name to its successor; pods that run from it have not.
    for id in in_use {
        needed.insert(id.0.clone());
        needed.extend(store.config_of(id).map(|config| config.rootfs.diff_ids).unwrap_or_default());
    }
    index.manifests = kept;
    store.write_index(&index)?;
    let mut freed = 0;
    for folder in ["blobs/sha256", "layers"] {
        let folder = store.dir().join(folder);
        for entry in fs::read_dir(&folder).map_err(ImageError::io("read", &folder))?.flatten() {
            let digest = format!("sha256:{}", entry.file_name().to_string_lossy());
            if needed.contains(&digest) {
                continue;
            }
            let path = entry.path();
            if path.is_dir() {
                freed += layer::bytes(&path);
                remove(&path)?;
            } else {
                freed += entry.metadata().map_or(0, |meta| meta.len());
                fs::remove_file(&path).map_err(ImageError::io("remove", &path))?;
            }
        }
    }
    Ok(freed)
}
