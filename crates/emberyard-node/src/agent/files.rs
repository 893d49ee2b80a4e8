//! Files in a pod's folder, written so that a crash leaves the old or the new one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

use emberyard_pod::volumes::FileContent;
use std::collections::BTreeMap;

/// Writes a value as JSON.
pub(super) fn save<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let bytes = serde_json::to_vec(value)?;
    replace(path, &bytes, 0o600)
}

/// Reads a value from JSON; `None` if there is none or it cannot be read.
pub(super) fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Writes a file beside the old one, then takes its place.
pub(super) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = path.with_extension("new");
    let _ = fs::remove_file(&beside);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    file.write_all(bytes)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    fs::rename(&beside, path)
}

/// A folder any user of the pod can write to, as a kubelet makes volumes.
pub(super) fn open_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o777))
}

/// Fills a volume with files the way a kubelet does: the files lie in a folder of their own, `..data` points to it,
/// and each first path part points into `..data`. One rename of `..data` changes all files at once.
pub(super) fn project(folder: &Path, files: &BTreeMap<String, FileContent>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    let data = folder.join("..data");
    let current = fs::read_link(&data).ok();
    let number = |name: &Path| name.to_string_lossy().trim_start_matches("..").parse::<u64>().ok();
    let next = format!("..{}", current.as_deref().and_then(number).map_or(1, |n| n + 1));
    let fresh = folder.join(&next);
    let _ = fs::remove_dir_all(&fresh);
    fs::create_dir(&fresh)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755))?;
    for (path, content) in files {
        let target = fresh.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        replace(&target, &content.bytes, content.mode)?;
    }
    let beside = folder.join("..data_new");
    let _ = fs::remove_file(&beside);
    symlink(&next, &beside)?;
    fs::rename(&beside, &data)?;
    let firsts: std::collections::BTreeSet<&str> = files.keys().filter_map(|p| p.split('/').next()).collect();
    for first in &firsts {
        let link = folder.join(first);
        if link.symlink_metadata().is_err() {
            symlink(Path::new("..data").join(first), &link)?;
        }
    }
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with("..") && !firsts.contains(name.as_ref()) {
            fs::remove_file(entry.path())?;
        }
    }
    if let Some(old) = current {
        let _ = fs::remove_dir_all(folder.join(old));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_change_all_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("v");
        let content = |text: &str| FileContent { bytes: text.as_bytes().to_vec(), mode: 0o640 };
        let first = BTreeMap::from([("a".to_owned(), content("1")), ("d/b".to_owned(), content("2"))]);
        project(&folder, &first).unwrap();
        assert_eq!(fs::read_to_string(folder.join("a")).unwrap(), "1");
        assert_eq!(fs::read_to_string(folder.join("d/b")).unwrap(), "2");
        assert_eq!(fs::metadata(folder.join("a")).unwrap().permissions().mode() & 0o777, 0o640);
        project(&folder, &BTreeMap::from([("a".to_owned(), content("3"))])).unwrap();
        assert_eq!(fs::read_to_string(folder.join("a")).unwrap(), "3");
        assert!(!folder.join("d").exists());
        let names: Vec<_> = fs::read_dir(&folder).unwrap().flatten().map(|e| e.file_name()).collect();
        assert_eq!(names.len(), 3, "{names:?}");
    }
}
