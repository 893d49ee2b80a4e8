//! A layer as a folder and as a tar stream (OCI image spec, "layer"). The stream is the same for the same content:
//! sorted, one owner, one time.

use crate::digest::Summing;
use crate::error::ImageError;
use crate::tree::FIXED_TIME;
use rustix::fs::{lgetxattr, lremovexattr};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// Attributes by which overlay marks a folder that hides those below it, without and with root.
const OPAQUE: [&str; 2] = ["user.overlay.opaque", "trusted.overlay.opaque"];

/// Writes the folder as a layer's tar.
pub fn write_tar(root: &Path, out: &mut dyn Write) -> Result<(), ImageError> {
    let mut builder = Builder::new(out);
    folder(&mut builder, root, Path::new(""))?;
    builder.finish().map_err(ImageError::io("pack", root))
}

/// SHA-256 (hex) and size of the layer's tar.
pub fn digest(root: &Path) -> Result<(String, u64), ImageError> {
    let mut sum = Summing::new(std::io::sink());
    write_tar(root, &mut sum)?;
    Ok(sum.finish())
}

fn folder(builder: &mut Builder<&mut dyn Write>, root: &Path, below: &Path) -> Result<(), ImageError> {
    let here = root.join(below);
    let mut names: Vec<_> = fs::read_dir(&here)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>())
        .map_err(ImageError::io("read", &here))?;
    names.sort();
    for name in names {
        let path = below.join(&name);
        let place = root.join(&path);
        let failed = |error| ImageError::io("pack", &place)(error);
        let meta = fs::symlink_metadata(&place).map_err(failed)?;
        let kind = meta.file_type();
        let mut header = Header::new_gnu();
        header.set_mode(meta.permissions().mode() & 0o7777);
        header.set_mtime(FIXED_TIME.unsigned_abs());
        header.set_size(0);
        if kind.is_dir() {
            header.set_entry_type(EntryType::Directory);
            builder.append_data(&mut header, &path, std::io::empty()).map_err(failed)?;
            if is_opaque(&place) {
                marker(builder, &path.join(".wh..wh..opq")).map_err(failed)?;
            }
            folder(builder, root, &path)?;
        } else if kind.is_symlink() {
            header.set_entry_type(EntryType::Symlink);
            header.set_mode(0o777);
            let target = fs::read_link(&place).map_err(failed)?;
            builder.append_link(&mut header, &path, &target).map_err(failed)?;
        } else if kind.is_file() {
            header.set_entry_type(EntryType::Regular);
            header.set_size(meta.len());
            let file = fs::File::open(&place).map_err(failed)?;
            builder.append_data(&mut header, &path, file).map_err(failed)?;
        } else if kind.is_char_device() && meta.rdev() == 0 {
            let mut hidden = std::ffi::OsString::from(".wh.");
            hidden.push(&name);
            marker(builder, &below.join(hidden)).map_err(failed)?;
        }
    }
    Ok(())
}

fn marker(builder: &mut Builder<&mut dyn Write>, path: &Path) -> std::io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(0);
    builder.append_data(&mut header, path, std::io::empty())
}

fn is_opaque(path: &Path) -> bool {
    OPAQUE.iter().any(|&name| lgetxattr(path, name, &mut [0_u8; 8][..]).is_ok())
}

/// Takes off overlay's marks that hide nothing: it marks every folder made in a merged one.
pub fn unmark(upper: &Path, lowers: &[PathBuf]) -> Result<(), ImageError> {
    unmark_below(upper, Path::new(""), lowers)
}

fn unmark_below(upper: &Path, below: &Path, lowers: &[PathBuf]) -> Result<(), ImageError> {
    let here = upper.join(below);
    for entry in fs::read_dir(&here).map_err(ImageError::io("read", &here))? {
        let entry = entry.map_err(ImageError::io("read", &here))?;
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = below.join(entry.file_name());
        if !lowers.iter().any(|lower| lower.join(&path).is_dir()) {
            for name in OPAQUE {
                let _ = lremovexattr(entry.path(), name);
            }
        }
        unmark_below(upper, &path, lowers)?;
    }
    Ok(())
}

/// Bytes of the files in a layer.
pub fn bytes(root: &Path) -> u64 {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
