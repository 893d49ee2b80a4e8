//! Writes below a folder that is to be a root file system, never outside it, whatever links lie on the way.

use crate::error::ImageError;
use rustix::fs::{AtFlags, CWD, Mode, Timespec, Timestamps, UTIME_OMIT, chmodat, utimensat};
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

/// Time given to every file of a layer (2026-01-01T00:00:00Z), so that the same recipe gives the same layer.
pub const FIXED_TIME: i64 = 1_767_225_600;

/// Links followed before a path counts as a circle.
const MAX_LINKS: u32 = 40;

/// A root file system in the making, or the layer that is to lie on others.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    lowers: Vec<PathBuf>,
}

impl Tree {
    /// Writes below `root`, which is there.
    pub fn new(root: &Path) -> Self {
        Self::over(root, &[])
    }

    /// Writes below `root`, a layer on `lowers` (topmost first), whose links and folders count as there.
    pub fn over(root: &Path, lowers: &[PathBuf]) -> Self {
        Self { root: root.to_owned(), lowers: lowers.to_owned() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A folder and those above it. A link to a folder counts as one.
    pub fn folder(&mut self, path: &Path, mode: u32) -> Result<(), ImageError> {
        let made = self.make(path)?;
        set_mode(&made, mode | 0o755)
    }

    /// A file with this content; it replaces what is there.
    pub fn file(&mut self, path: &Path, content: &mut dyn Read, mode: u32) -> Result<(), ImageError> {
        let place = self.free(path)?;
        let mut out = fs::File::create(&place).map_err(ImageError::io("create", &place))?;
        std::io::copy(content, &mut out).map_err(ImageError::io("write", &place))?;
        let executable = if mode & 0o100 != 0 { 0o111 } else { 0 };
        set_mode(&place, (mode & 0o777) | 0o644 | executable)
    }

    /// A symbolic link.
    pub fn link(&mut self, path: &Path, target: &Path) -> Result<(), ImageError> {
        let wanted = self.parent(path)?;
        if wanted.is_dir() {
            return Ok(()); // a folder stays where a package has a link to its usr-merged twin
        }
        let place = self.free(path)?;
        symlink(target, &place).map_err(ImageError::io("link", &place))
    }

    /// A second name of a file that is there.
    pub fn same(&mut self, path: &Path, first: &Path) -> Result<(), ImageError> {
        let first = self.parent(first)?;
        let place = self.free(path)?;
        fs::hard_link(&first, &place).map_err(ImageError::io("link", &place))
    }

    /// Where `path` of the root file system lies in ours, its folder made and every link on the way followed inside.
    pub fn parent(&mut self, path: &Path) -> Result<PathBuf, ImageError> {
        let outside =
            || ImageError::Unpack { what: path.display().to_string(), why: "the path leaves the image".to_owned() };
        let name = match path.components().next_back() {
            Some(Component::Normal(name)) => name.to_owned(),
            _ => return Err(outside()),
        };
        let folder = self.make(path.parent().unwrap_or(Path::new("")))?;
        Ok(folder.join(name))
    }

    fn free(&mut self, path: &Path) -> Result<PathBuf, ImageError> {
        let place = self.parent(path)?;
        match fs::symlink_metadata(&place) {
            Ok(meta) if !meta.is_dir() => fs::remove_file(&place).map_err(ImageError::io("replace", &place))?,
            _ => {}
        }
        Ok(place)
    }

    /// Makes the folder `path` and answers where it really lies.
    fn make(&mut self, path: &Path) -> Result<PathBuf, ImageError> {
        let bad = |why: &str| ImageError::Unpack { what: path.display().to_string(), why: why.to_owned() };
        let mut at = PathBuf::new();
        let mut rest: Vec<PathBuf> = vec![path.to_owned()];
        let mut links = 0;
        while let Some(next) = rest.pop() {
            let mut parts = next.components();
            let Some(part) = parts.next() else { continue };
            rest.push(parts.as_path().to_owned());
            match part {
                Component::RootDir => at.clear(),
                Component::CurDir => {}
                Component::ParentDir if !at.pop() => return Err(bad("the path leaves the image")),
                Component::ParentDir => {}
                Component::Prefix(_) => return Err(bad("the path has a prefix")),
                Component::Normal(name) => {
                    let below = at.join(name);
                    let here = self.root.join(&below);
                    let there = self.layers().map(|layer| layer.join(&below)).find(|p| fs::symlink_metadata(p).is_ok());
                    let meta = there.as_ref().and_then(|place| fs::symlink_metadata(place).ok());
                    match (there, meta) {
                        (Some(place), Some(meta)) if meta.is_symlink() => {
                            links += 1;
                            if links > MAX_LINKS {
                                return Err(bad("its links go round in a circle"));
                            }
                            rest.push(fs::read_link(&place).map_err(ImageError::io("read", &place))?);
                            continue;
                        }
                        (Some(_), Some(meta)) if !meta.is_dir() => {
                            return Err(bad("a file stands where a folder is needed"));
                        }
                        (_, meta) => {
                            if !here.is_dir() {
                                fs::create_dir(&here).map_err(ImageError::io("create", &here))?;
                                set_mode(&here, meta.map_or(0o755, |meta| meta.permissions().mode() & 0o7777))?;
                            }
                        }
                    }
                    at = below;
                }
            }
        }
        Ok(self.root.join(at))
    }

    fn layers(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.root).chain(&self.lowers)
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<(), ImageError> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(ImageError::io("set the mode of", path))
}

/// Gives everything below `root` the fixed time, and lets everybody read it.
pub fn settle(root: &Path) -> Result<(), ImageError> {
    for entry in fs::read_dir(root).map_err(ImageError::io("read", root))? {
        let entry = entry.map_err(ImageError::io("read", root))?;
        let path = entry.path();
        let meta = fs::symlink_metadata(&path).map_err(ImageError::io("read", &path))?;
        let kind = meta.file_type();
        if kind.is_dir() || kind.is_file() {
            let mode = meta.permissions().mode() & 0o7777;
            let wanted = if kind.is_dir() || mode & 0o100 != 0 { mode | 0o555 } else { mode | 0o444 };
            if wanted != mode {
                let io = |e: rustix::io::Errno| ImageError::io("set the mode of", &path)(e.into());
                chmodat(CWD, &path, Mode::from_raw_mode(wanted), AtFlags::empty()).map_err(io)?;
            }
        }
        if kind.is_dir() {
            settle(&path)?;
        }
        set_time(&path).map_err(ImageError::io("set the time of", &path))?;
    }
    set_time(root).map_err(ImageError::io("set the time of", root))
}

fn set_time(path: &Path) -> std::io::Result<()> {
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: FIXED_TIME, tv_nsec: 0 },
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_layers_below_hold() {
        let dir = tempfile::tempdir().unwrap();
        let (lower, upper) = (dir.path().join("lower"), dir.path().join("upper"));
        fs::create_dir_all(lower.join("usr/bin")).unwrap();
        fs::create_dir(&upper).unwrap();
        symlink("usr/bin", lower.join("bin")).unwrap();
        symlink("/usr/bin", lower.join("tools")).unwrap();
        let mut tree = Tree::over(&upper, &[lower]);
        tree.file(Path::new("bin/a"), &mut &b"a"[..], 0o755).unwrap();
        tree.file(Path::new("tools/b"), &mut &b"b"[..], 0o644).unwrap();
        assert!(upper.join("usr/bin/a").is_file() && upper.join("usr/bin/b").is_file());
        assert!(!upper.join("bin").exists());
    }

    #[test]
    fn circles_end() {
        let dir = tempfile::tempdir().unwrap();
        symlink("b", dir.path().join("a")).unwrap();
        symlink("a", dir.path().join("b")).unwrap();
        let mut tree = Tree::new(dir.path());
        assert!(tree.file(Path::new("a/x"), &mut &b""[..], 0o644).unwrap_err().to_string().contains("circle"));
    }
}
