//! Which jar: `group:artifact:version[:classifier]`.

use std::fmt;
use std::str::FromStr;

/// A jar's name in every Maven repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coordinates {
    group: String,
    artifact: String,
    version: String,
    classifier: Option<String>,
}

impl Coordinates {
    /// The artifact's name, without group and version.
    pub fn artifact(&self) -> &str {
        &self.artifact
    }

    /// The version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The jar's file name.
    pub fn file(&self) -> String {
        let Self { artifact, version, classifier, .. } = self;
        let classifier = classifier.as_ref().map(|text| format!("-{text}")).unwrap_or_default();
        format!("{artifact}-{version}{classifier}.jar")
    }

    /// The jar's address in the repository at `base`.
    pub fn address(&self, base: &str) -> String {
        let Self { group, artifact, version, .. } = self;
        format!("{base}/{}/{artifact}/{version}/{}", group.replace('.', "/"), self.file())
    }
}

impl FromStr for Coordinates {
    type Err = String;

    /// Refuses what could not be a name in a repository; in addresses and files such words would mean something else.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("maven \"{text}\": {why}");
        let parts: Vec<&str> = text.split(':').collect();
        let (group, artifact, version, classifier) = match parts[..] {
            [group, artifact, version] => (group, artifact, version, None),
            [group, artifact, version, classifier] => (group, artifact, version, Some(classifier)),
            _ => return Err(wrong("write group:artifact:version[:classifier]")),
        };
        let good = |part: &&str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
        };
        if !parts.iter().all(good) || group.split('.').any(str::is_empty) {
            return Err(wrong("its parts are letters, digits and . _ - +"));
        }
        if version.ends_with("-SNAPSHOT") {
            return Err(wrong("a snapshot is another jar every day; name a release"));
        }
        let own = str::to_owned;
        let (group, artifact, version) = (own(group), own(artifact), own(version));
        Ok(Self { group, artifact, version, classifier: classifier.map(own) })
    }
}

impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.group, self.artifact, self.version)?;
        self.classifier.as_ref().map_or(Ok(()), |classifier| write!(f, ":{classifier}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn say_file_and_address() {
        let jar: Coordinates = "org.apache.hadoop:hadoop-hdfs:3.5.0:tests".parse().unwrap();
        assert_eq!(jar.file(), "hadoop-hdfs-3.5.0-tests.jar");
        let address = "https://x/m2/org/apache/hadoop/hadoop-hdfs/3.5.0/hadoop-hdfs-3.5.0-tests.jar";
        assert_eq!(jar.address("https://x/m2"), address);
        assert_eq!(jar.to_string(), "org.apache.hadoop:hadoop-hdfs:3.5.0:tests");
        let plain: Coordinates = "commons-io:commons-io:2.16.1".parse().unwrap();
        assert_eq!(
            (plain.file().as_str(), plain.artifact(), plain.version()),
            ("commons-io-2.16.1.jar", "commons-io", "2.16.1")
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (text, part) in [
            ("a:b", "group:artifact:version"),
            ("a:b:1:c:d", "group:artifact:version"),
            ("a:b:", "letters"),
            ("a:../b:1", "letters"),
            ("a:..:1", "letters"),
            ("a..b:c:1", "letters"),
            ("a:b:1?x", "letters"),
            ("a:b:1-SNAPSHOT", "snapshot"),
        ] {
            let error = text.parse::<Coordinates>().unwrap_err();
            assert!(error.contains(part) && error.contains(text), "{error}");
        }
    }
}
