//! Image references as pods write them: `[registry/]name[:tag][@digest]`.

use crate::error::ResolveError;

/// A reference taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Name without registry host; `library/` of Docker's own images is dropped.
    pub name: String,
    /// Tag, if one is written.
    pub tag: Option<String>,
    /// `sha256:…`, if one is written.
    pub digest: Option<String>,
}

impl Reference {
    /// Takes a reference apart.
    pub fn parse(text: &str) -> Result<Self, ResolveError> {
        let malformed = |why: &str| ResolveError::Malformed { reference: text.to_owned(), why: why.to_owned() };
        if text.is_empty() {
            return Err(malformed("it is empty"));
        }
        if text.len() > 1024 || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(malformed("it holds white space or is longer than 1024 characters"));
        }
        if let Some(hex) = text.strip_prefix("sha256:") {
            return if is_digest(hex) {
                Ok(Self { name: String::new(), tag: None, digest: Some(text.to_owned()) })
            } else {
                Err(malformed("sha256: is followed by 64 hex digits"))
            };
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                if !digest.strip_prefix("sha256:").is_some_and(is_digest) {
                    return Err(malformed("after @ comes sha256: and 64 hex digits"));
                }
                (rest, Some(digest.to_owned()))
            }
            None => (text, None),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (rest, None),
        };
        if tag.is_some_and(|tag| tag.is_empty() || tag.len() > 128) {
            return Err(malformed("a tag has 1 to 128 characters"));
        }
        let name = match path.split_once('/') {
            Some((host, name)) if host.contains(['.', ':']) || host == "localhost" => name,
            _ => path,
        };
        let name = name.strip_prefix("library/").unwrap_or(name);
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        if !name.chars().all(good) || name.split('/').any(str::is_empty) {
            return Err(malformed("a name has lower-case letters, digits and . _ - /"));
        }
        Ok(Self { name: name.to_owned(), tag: tag.map(str::to_owned), digest })
    }

    /// The version a tag speaks of: its first dotted number (`2.4.0-hadoop-2.6` -> `2.4.0`, `spark-3.5.1` -> `3.5.1`).
    pub fn version(&self) -> Option<String> {
        self.tag
            .as_ref()?
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .map(|part| part.trim_matches('.'))
            .find(|part| part.contains('.'))
            .map(str::to_owned)
    }
}

fn is_digest(hex: &str) -> bool {
    hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, Option<String>, Option<String>) {
        let r = Reference::parse(text).unwrap();
        let version = r.version();
        (r.name, r.tag, version)
    }

    #[test]
    fn takes_apart_what_people_write() {
        let s = |text: &str| Some(text.to_owned());
        assert_eq!(parse("spark-py"), ("spark-py".into(), None, None));
        assert_eq!(
            parse("kublr/spark-py:2.4.0-hadoop-2.6"),
            ("kublr/spark-py".into(), s("2.4.0-hadoop-2.6"), s("2.4.0"))
        );
        assert_eq!(parse("docker.io/library/spark:3.5"), ("spark".into(), s("3.5"), s("3.5")));
        assert_eq!(
            parse("quay.io/jupyter/pyspark-notebook:spark-3.5.1"),
            ("jupyter/pyspark-notebook".into(), s("spark-3.5.1"), s("3.5.1"))
        );
        assert_eq!(parse("localhost:5000/a/b"), ("a/b".into(), None, None));
        assert_eq!(parse("a:latest"), ("a".into(), s("latest"), None));
        let digest = format!("sha256:{}", "0".repeat(64));
        assert_eq!(Reference::parse(&digest).unwrap().digest, Some(digest.clone()));
        assert_eq!(Reference::parse(&format!("a@{digest}")).unwrap().digest, Some(digest));
    }

    #[test]
    fn refuses_what_is_no_reference() {
        let long = "a".repeat(2000);
        for bad in ["", " ", "A", "a b", "a:", "sha256:12", "a@sha256:12", "a@md5:00", "x/", ":tag", &long] {
            assert!(Reference::parse(bad).is_err(), "{bad:?}");
        }
    }
}
