//! A layer's tar becomes a folder for overlay: marks of removed files become overlay's.

use crate::error::ImageError;
use crate::tree::Tree;
use rustix::fs::{CWD, FileType, Mode, XattrFlags, lsetxattr, mknodat};
use std::io::Read;
use std::path::Path;
use tar::EntryType;

/// Unpacks below `root`. Owners, devices and set-uid bits are not taken over.
pub fn unlayer(content: impl Read, root: &Path) -> Result<(), ImageError> {
    let bad = |e: std::io::Error| ImageError::Unpack { what: "a layer".to_owned(), why: e.to_string() };
    let mut tree = Tree::new(root);
    let mut archive = tar::Archive::new(content);
    for entry in archive.entries().map_err(bad)? {
        let mut entry = entry.map_err(bad)?;
        let path = entry.path().map_err(bad)?.into_owned();
        let path = path.strip_prefix("/").unwrap_or(&path);
        let path = path.strip_prefix(".").unwrap_or(path).to_owned();
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
        let mode = entry.header().mode().unwrap_or(0o644) & 0o1777;
        let link = entry.link_name().map_err(bad)?.map(|link| link.into_owned());
        if name == ".wh..wh..opq" {
            let folder = tree.parent(&path)?;
            let folder = folder.parent().unwrap_or(root);
            let failed = |e: rustix::io::Errno| ImageError::io("mark", folder)(e.into());
            // Overlay reads the first when it is mounted without root, the second with root, which alone may write it.
            let _ = lsetxattr(folder, "trusted.overlay.opaque", b"y", XattrFlags::empty());
            lsetxattr(folder, "user.overlay.opaque", b"y", XattrFlags::empty()).map_err(failed)?;
            continue;
        }
        if let Some(hidden) = name.strip_prefix(".wh.") {
            let place = tree.parent(&path.with_file_name(hidden))?;
            let failed = |e: rustix::io::Errno| ImageError::io("mark", &place)(e.into());
            mknodat(CWD, &place, FileType::CharacterDevice, Mode::empty(), 0).map_err(failed)?;
            continue;
        }
        match (entry.header().entry_type(), link) {
            (EntryType::Directory, _) => tree.folder(&path, mode)?,
            (EntryType::Regular | EntryType::Continuous, _) => tree.file(&path, &mut entry, mode)?,
            (EntryType::Symlink, Some(link)) => tree.link(&path, &link)?,
            (EntryType::Link, Some(link)) => {
                let link = link.strip_prefix("/").unwrap_or(&link).to_owned();
                tree.same(&path, link.strip_prefix(".").unwrap_or(&link))?;
            }
            _ => {}
        }
    }
    Ok(())
}
