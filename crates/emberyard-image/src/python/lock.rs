//! Locks of Python packages: the exact files, `for name==version sha256 size address`, one a line. `for` is `run` for
//! what the environment holds, `build` for what is only needed to build packages that come as source.

use crate::digest::sha256;
use crate::lock_form;
use crate::net::Wanted;
use serde::Deserialize;
use std::fmt::Write as _;

/// A file of a package, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Only needed to build others.
    pub build: bool,
    /// Normalised name.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Size in bytes, if known.
    pub size: Option<u64>,
    /// Address in the index it was locked from.
    pub url: String,
}

impl Locked {
    /// The file's name.
    pub fn file(&self) -> String {
        self.url.rsplit('/').next().unwrap_or_default().replace("%2B", "+")
    }

    /// What to download, from these addresses.
    pub fn wanted(&self, urls: Vec<String>) -> Wanted {
        Wanted { urls, sha256: self.sha256.clone(), size: self.size }
    }
}

/// What a lock is for: it holds as long as the recipe asks the same.
pub fn request(requirements: &[String]) -> String {
    sha256(requirements.join("\n").as_bytes())
}

/// A lock as text.
pub fn write(request: &str, files: &[Locked]) -> String {
    let line = |Locked { build, name, version, sha256, size, url }: &Locked| {
        let purpose = if *build { "build" } else { "run" };
        format!("{purpose} {name}=={version} {sha256} {} {url}", size.unwrap_or(0))
    };
    lock_form::write(request, files.iter().map(line))
}

/// Reads a lock; none if it was made for another request or can't be read.
pub fn read(text: &str, request: &str) -> Option<Vec<Locked>> {
    lock_form::read(text, request, line)
}

/// One line, without regard to the request.
pub fn line(line: &str) -> Option<Locked> {
    let [purpose, package, sha256, size, url] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
    let (name, version) = package.split_once("==")?;
    Some(Locked {
        build: purpose == "build",
        name: name.to_owned(),
        version: version.to_owned(),
        sha256: sha256.to_owned(),
        size: size.parse().ok().filter(|size| *size > 0),
        url: url.to_owned(),
    })
}

/// Requirements with hashes, as installers read them.
pub fn requirements<'a>(files: impl Iterator<Item = &'a Locked>) -> String {
    files.fold(String::new(), |mut text, file| {
        let _ = writeln!(text, "{}=={} --hash=sha256:{}", file.name, file.version, file.sha256);
        text
    })
}

#[derive(Deserialize)]
struct PyLock {
    #[serde(default)]
    packages: Vec<PyPackage>,
}

#[derive(Deserialize)]
struct PyPackage {
    name: String,
    #[serde(default)]
    version: String,
    sdist: Option<PyFile>,
    #[serde(default)]
    wheels: Vec<PyFile>,
}

#[derive(Deserialize)]
struct PyFile {
    url: Option<String>,
    size: Option<u64>,
    hashes: std::collections::BTreeMap<String, String>,
}

/// From a `pylock.toml` (PEP 751) made for one platform: one wheel a package, else its source.
pub fn from_pylock(text: &str, build: bool) -> Result<Vec<Locked>, String> {
    let lock: PyLock = toml::from_str(text).map_err(|e| e.to_string())?;
    lock.packages
        .into_iter()
        .map(|PyPackage { name, version, sdist, wheels }| {
            let file = wheels.into_iter().next().or(sdist).ok_or_else(|| format!("{name} has no file"))?;
            let url = file.url.ok_or_else(|| format!("{name} has no address"))?;
            let sha256 = file.hashes.get("sha256").cloned().ok_or_else(|| format!("{name} has no SHA-256"))?;
            Ok(Locked { build, name, version, sha256, size: file.size, url })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_pylock_to_lines_and_back() {
        let pylock = "lock-version='1.0'\n[[packages]]\nname='a'\nversion='1'\n\
            sdist={url='https://x/a-1.tar.gz',hashes={sha256='00'}}\n\
            wheels=[{url='https://x/a-1-py3-none-any.whl',size=7,upload-time=2026-05-18T23:37:14Z,hashes={sha256='11'}}]\n\
            [[packages]]\nname='b'\nversion='2'\nsdist={url='https://x/b-2.tar.gz',hashes={sha256='22'}}\n";
        let files = from_pylock(pylock, false).unwrap();
        let want = request(&["a".to_owned()]);
        let text = write(&want, &files);
        assert!(text.ends_with("run a==1 11 7 https://x/a-1-py3-none-any.whl\nrun b==2 22 0 https://x/b-2.tar.gz\n"));
        assert_eq!(read(&text, &want), Some(files.clone()));
        assert_eq!(read(&text, "other"), None);
        assert_eq!(requirements(files.iter().take(1)), "a==1 --hash=sha256:11\n");
        assert_eq!(files[1].file(), "b-2.tar.gz");
    }
}
