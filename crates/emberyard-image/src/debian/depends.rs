//! Dependency fields: `a (>= 1) | b, c:any [amd64]`.

use crate::debian::version::compare;
use std::cmp::Ordering;

/// One alternative of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Package name.
    pub name: String,
    /// Relation and version, if the dependency has one.
    pub version: Option<(Relation, String)>,
}

/// How a version must stand to the named one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<<`
    Before,
    /// `<=`
    Until,
    /// `=`
    Exactly,
    /// `>=`
    From,
    /// `>>`
    After,
}

impl Want {
    /// Does this version satisfy it?
    pub fn accepts(&self, version: &str) -> bool {
        let Some((relation, named)) = &self.version else { return true };
        let order = compare(version, named);
        match relation {
            Relation::Before => order == Ordering::Less,
            Relation::Until => order != Ordering::Greater,
            Relation::Exactly => order == Ordering::Equal,
            Relation::From => order != Ordering::Less,
            Relation::After => order == Ordering::Greater,
        }
    }
}

/// All of these must hold; each by one of its alternatives.
pub fn parse(field: &str) -> Vec<Vec<Want>> {
    field
        .split(',')
        .map(|group| group.split('|').filter_map(want).collect::<Vec<_>>())
        .filter(|group| !group.is_empty())
        .collect()
}

/// One alternative; `name=version` as apt's command line writes it is understood too.
pub fn want(text: &str) -> Option<Want> {
    let text = text.split('[').next().unwrap_or_default().trim();
    if let Some((name, version)) = text.split_once('=').filter(|_| !text.contains('(')) {
        return Some(Want {
            name: name.trim().to_owned(),
            version: Some((Relation::Exactly, version.trim().to_owned())),
        });
    }
    let (name, version) = match text.split_once('(') {
        Some((name, rest)) => (name, Some(rest.trim_end_matches(')').trim())),
        None => (text, None),
    };
    let name = name.trim().split(':').next().unwrap_or_default().to_owned();
    if name.is_empty() {
        return None;
    }
    let version = version.and_then(|text| {
        let digits = text.find(|c| !matches!(c, '<' | '>' | '='))?;
        let (relation, version) = text.split_at(digits);
        let relation = match relation {
            "<<" => Relation::Before,
            "<=" | "<" => Relation::Until,
            "=" => Relation::Exactly,
            ">=" | ">" => Relation::From,
            ">>" => Relation::After,
            _ => return None,
        };
        Some((relation, version.trim().to_owned()))
    });
    Some(Want { name, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_alternatives_and_versions() {
        let parsed = parse("libc6 (>= 2.36), debconf (>= 0.5) | debconf-2.0, python3:any, x [amd64]");
        assert_eq!(parsed.len(), 4);
        assert_eq!(parsed[0][0].version, Some((Relation::From, "2.36".to_owned())));
        assert_eq!(parsed[1].iter().map(|w| w.name.as_str()).collect::<Vec<_>>(), ["debconf", "debconf-2.0"]);
        assert_eq!(parsed[2][0].name, "python3");
        assert_eq!(parsed[3][0].name, "x");
        assert!(parsed[0][0].accepts("2.36-9") && !parsed[0][0].accepts("2.31"));
        assert!(want("a=1.0").unwrap().accepts("1.0"));
        assert!(parse("").is_empty());
    }
}
