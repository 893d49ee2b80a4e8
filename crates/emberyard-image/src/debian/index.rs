//! Package indexes (`Packages`): what a mirror has.

use crate::debian::depends::{Want, parse as parse_depends};
use crate::debian::version::compare;
use std::collections::BTreeMap;

/// A package in a mirror's pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Architecture, or `all`.
    pub architecture: String,
    /// What it depends on, pre-dependencies included.
    pub depends: Vec<Vec<Want>>,
    /// Names it stands in for, with the version where one is given.
    pub provides: Vec<Want>,
    /// Path below the mirror.
    pub path: String,
    /// Size of the package file in bytes.
    pub size: u64,
    /// SHA-256 of the package file, hex.
    pub sha256: String,
    /// Suite that has it, for the choice of the mirror.
    pub suite: String,
}

/// The newest version of each package over all suites read.
#[derive(Debug, Default)]
pub struct Index {
    packages: BTreeMap<String, Vec<Package>>,
    providers: BTreeMap<String, Vec<String>>,
}

impl Index {
    /// Adds one `Packages` text.
    pub fn add(&mut self, text: &str, suite: &str) {
        for stanza in text.split("\n\n") {
            let package = read(stanza, suite);
            if package.name.is_empty() || package.sha256.is_empty() {
                continue;
            }
            for provided in &package.provides {
                let names = self.providers.entry(provided.name.clone()).or_default();
                if !names.contains(&package.name) {
                    names.push(package.name.clone());
                }
            }
            let versions = self.packages.entry(package.name.clone()).or_default();
            versions.push(package);
            versions.sort_by(|a, b| compare(&b.version, &a.version));
        }
    }

    /// The newest real package that satisfies `want`.
    pub fn find(&self, want: &Want) -> Option<&Package> {
        self.packages.get(&want.name)?.iter().find(|package| want.accepts(&package.version))
    }

    /// The versions there are of a package, newest first.
    pub fn versions(&self, name: &str) -> Vec<&str> {
        self.packages.get(name).into_iter().flatten().map(|package| package.version.as_str()).collect()
    }

    /// The first package that provides what `want` names.
    pub fn provider(&self, want: &Want) -> Option<&Package> {
        let names = self.providers.get(&want.name)?;
        names.iter().filter_map(|name| self.packages.get(name)?.first()).find(|package| provides(package, want))
    }
}

/// Does the package itself, or by what it provides, satisfy `want`?
pub fn satisfies(package: &Package, want: &Want) -> bool {
    (package.name == want.name && want.accepts(&package.version)) || provides(package, want)
}

fn provides(package: &Package, want: &Want) -> bool {
    package.provides.iter().filter(|provided| provided.name == want.name).any(|provided| match &provided.version {
        Some((_, version)) => want.accepts(version),
        None => want.version.is_none(),
    })
}

fn read(stanza: &str, suite: &str) -> Package {
    let mut package = Package { suite: suite.to_owned(), ..Package::default() };
    for line in stanza.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key {
            "Package" => value.clone_into(&mut package.name),
            "Version" => value.clone_into(&mut package.version),
            "Architecture" => value.clone_into(&mut package.architecture),
            "Filename" => value.clone_into(&mut package.path),
            "SHA256" => package.sha256 = value.to_ascii_lowercase(),
            "Size" => package.size = value.parse().unwrap_or(0),
            "Depends" | "Pre-Depends" => package.depends.extend(parse_depends(value)),
            "Provides" => package.provides = parse_depends(value).into_iter().flatten().collect(),
            _ => {}
        }
    }
    package
}
