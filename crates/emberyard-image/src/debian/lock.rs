//! Locks: the exact packages of a recipe, `name=version sha256 size suite path`, one a line.

use crate::debian::index::Package;
use crate::debian::mirrors::Mirrors;
use crate::digest::sha256;
use crate::lock_form;
use crate::net::Wanted;

/// A package, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the package file, hex.
    pub sha256: String,
    /// Size of the package file in bytes.
    pub size: u64,
    /// Suite that had it.
    pub suite: String,
    /// Path below the mirror.
    pub path: String,
}

impl From<&Package> for Locked {
    fn from(package: &Package) -> Self {
        Self {
            name: package.name.clone(),
            version: package.version.clone(),
            sha256: package.sha256.clone(),
            size: package.size,
            suite: package.suite.clone(),
            path: package.path.clone(),
        }
    }
}

impl Locked {
    /// Where to fetch it.
    pub fn wanted(&self, mirrors: &Mirrors) -> Wanted {
        let bases = if self.suite.ends_with("-security") { &mirrors.security } else { &mirrors.main };
        let urls = bases.iter().map(|base| format!("{base}/{}", self.path)).collect();
        Wanted { urls, sha256: self.sha256.clone(), size: Some(self.size) }
    }
}

/// What a lock is for: it holds as long as the recipe asks the same.
pub fn request(roots: &[String], without: &[String]) -> String {
    sha256(format!("{}\n-{}", roots.join(" "), without.join(" ")).as_bytes())
}

/// A lock as text.
pub fn write(request: &str, packages: &[Locked]) -> String {
    let line = |Locked { name, version, sha256, size, suite, path }: &Locked| {
        format!("{name}={version} {sha256} {size} {suite} {path}")
    };
    lock_form::write(request, packages.iter().map(line))
}

/// Reads a lock; none if it was made for another request or can't be read.
pub fn read(text: &str, request: &str) -> Option<Vec<Locked>> {
    lock_form::read(text, request, |line| {
        let [package, sha256, size, suite, path] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
        let (name, version) = package.split_once('=')?;
        Some(Locked {
            name: name.to_owned(),
            version: version.to_owned(),
            sha256: sha256.to_owned(),
            size: size.parse().ok()?,
            suite: suite.to_owned(),
            path: path.to_owned(),
        })
    })
}

/// What differs between two locks, in words: `bash 5.2-1 -> 5.2-2`.
pub fn changes(old: &[Locked], new: &[Locked]) -> Vec<String> {
    let version = |list: &[Locked], name: &str| list.iter().find(|p| p.name == name).map(|p| p.version.clone());
    let gone =
        old.iter().filter(|p| version(new, &p.name).is_none()).map(|p| format!("{} {} dropped", p.name, p.version));
    new.iter()
        .filter_map(|p| match version(old, &p.name) {
            Some(before) if before == p.version => None,
            Some(before) => Some(format!("{} {before} -> {}", p.name, p.version)),
            None => Some(format!("{} {} added", p.name, p.version)),
        })
        .chain(gone)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(name: &str, version: &str) -> Locked {
        let text = |text: &str| text.to_owned();
        Locked {
            name: text(name),
            version: text(version),
            sha256: text("00"),
            size: 1,
            suite: text("s"),
            path: text("p"),
        }
    }

    #[test]
    fn reads_what_it_writes_for_the_same_request_only() {
        let list = vec![locked("a", "1"), locked("b", "1:2")];
        let request_ = request(&["a".to_owned()], &[]);
        let text = write(&request_, &list);
        assert_eq!(read(&text, &request_), Some(list));
        assert_eq!(read(&text, &request(&["b".to_owned()], &[])), None);
        assert_eq!(read("", &request_), None);
    }

    #[test]
    fn says_what_changed() {
        let old = [locked("a", "1"), locked("b", "1"), locked("c", "1")];
        let new = [locked("a", "1"), locked("b", "2"), locked("d", "1")];
        assert_eq!(changes(&old, &new), ["b 1 -> 2", "d 1 added", "c 1 dropped"]);
    }
}
