//! The closure of a list of packages: what must be unpacked so that they work.

use crate::debian::depends::{Want, want};
use crate::debian::index::{Index, Package, satisfies};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Why there is no closure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsolved {
    /// A package asked for by the recipe is not there.
    Missing {
        /// As the recipe names it.
        package: String,
        /// What there is instead.
        why: String,
    },
    /// A dependency of a package can't be met.
    Unmet {
        /// Who needs it.
        by: String,
        /// What is needed, in Debian's words.
        what: String,
    },
}

/// All packages needed for `roots`, by name; `without` and those in `present` are taken as there.
pub fn closure(
    index: &Index,
    roots: &[String],
    without: &[String],
    present: &BTreeSet<String>,
) -> Result<BTreeMap<String, Package>, Unsolved> {
    let left_out = |name: &str| present.contains(name) || without.iter().any(|out| out == name);
    let mut chosen: BTreeMap<String, Package> = BTreeMap::new();
    let mut open: VecDeque<Package> = VecDeque::new();
    let choose = |package: &Package, open: &mut VecDeque<Package>, chosen: &mut BTreeMap<String, Package>| {
        if chosen.insert(package.name.clone(), package.clone()).is_none() {
            open.push_back(package.clone());
        }
    };
    for root in roots {
        let missing = |why: String| Unsolved::Missing { package: root.clone(), why };
        let wanted = want(root).ok_or_else(|| missing("it is no package name".to_owned()))?;
        if present.contains(&wanted.name) {
            continue;
        }
        let package = index.find(&wanted).or_else(|| index.provider(&wanted));
        let package = package.ok_or_else(|| missing(instead(index, &wanted)))?;
        choose(package, &mut open, &mut chosen);
    }
    while let Some(package) = open.pop_front() {
        for group in &package.depends {
            let met = |want: &Want| left_out(&want.name) || chosen.values().any(|there| satisfies(there, want));
            if group.iter().any(met) {
                continue;
            }
            let found = group.iter().find_map(|want| index.find(want).or_else(|| index.provider(want)));
            match found {
                Some(found) if left_out(&found.name) => {}
                Some(found) => {
                    let found = found.clone();
                    choose(&found, &mut open, &mut chosen);
                }
                None => {
                    let what = group.iter().map(|want| want.name.as_str()).collect::<Vec<_>>().join(" | ");
                    return Err(Unsolved::Unmet { by: package.name, what });
                }
            }
        }
    }
    Ok(chosen)
}

fn instead(index: &Index, want: &Want) -> String {
    let versions = index.versions(&want.name);
    match (&want.version, versions.is_empty()) {
        (Some((_, version)), false) => format!("version {version} is not there; there is {}", versions.join(", ")),
        _ => format!("no package of this name in {} for {}", super::RELEASE, super::architecture()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        let mut index = Index::default();
        let package = |name: &str, version: &str, more: &str| {
            format!("Package: {name}\nVersion: {version}\nSHA256: {version}\nFilename: {name}.deb\n{more}\n")
        };
        let text = [
            package("app", "1", "Depends: lib (>= 2), conf | conf-2.0, virtual\nPre-Depends: base\n"),
            package("lib", "1", ""),
            package("base", "1", ""),
            package("conf", "1", "Depends: perl\n"),
            package("perl", "5", "Depends: nothing-here\n"),
            package("real", "1", "Provides: virtual (= 3)\n"),
            package("broken", "1", "Depends: nothing-here | nor-here\n"),
        ]
        .join("\n");
        index.add(&text, "bookworm");
        index.add(&package("lib", "2.1", ""), "bookworm-security");
        index
    }

    #[test]
    fn takes_the_newest_that_fits_and_leaves_out_what_is_not_wanted() {
        let roots = ["app".to_owned()];
        let chosen = closure(&index(), &roots, &["conf".to_owned()], &BTreeSet::new()).unwrap();
        let got: Vec<_> = chosen.values().map(|p| format!("{}={}", p.name, p.version)).collect();
        assert_eq!(got, ["app=1", "base=1", "lib=2.1", "real=1"]);
    }

    #[test]
    fn names_what_is_missing_and_who_wants_it() {
        let solve = |root: &str| closure(&index(), &[root.to_owned()], &[], &BTreeSet::new()).unwrap_err();
        assert!(matches!(solve("appp"), Unsolved::Missing { package, .. } if package == "appp"));
        assert!(matches!(solve("lib=7"), Unsolved::Missing { why, .. } if why.contains("2.1, 1")));
        assert_eq!(
            solve("broken"),
            Unsolved::Unmet { by: "broken".to_owned(), what: "nothing-here | nor-here".to_owned() }
        );
        assert!(matches!(solve("app"), Unsolved::Unmet { by, .. } if by == "perl"));
    }
}
