//! Foreign image names that ours answer to, always said aloud.

use crate::image::AliasSaid;
use crate::reference::Reference;

/// Foreign name (without registry host) and the built-in image that stands in for it.
const ALIASES: &[(&str, &str)] = &[
    ("kublr/spark-py", "spark-py"),
    ("kublr/pyspark-notebook", "pyspark-notebook"),
    ("spark", "spark-py"),
    ("spark-py", "spark-py"),
    ("apache/spark", "spark-py"),
    ("apache/spark-py", "spark-py"),
    ("pyspark-notebook", "pyspark-notebook"),
    ("jupyter/pyspark-notebook", "pyspark-notebook"),
];

/// The image of ours that stands in for `name`.
pub fn stand_in(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("emberyard/").unwrap_or(name);
    ALIASES.iter().find(|(foreign, _)| *foreign == name).map(|(_, ours)| *ours)
}

/// The names that have a stand-in, for lists of what is known.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALIASES.iter().map(|(foreign, _)| *foreign)
}

/// The sentence for a pod's Event: `spark` is the version of Spark that runs. None where nothing differs from what
/// was asked.
pub fn said(asked: &str, reference: &Reference, runs: &str, spark: Option<&str>) -> Option<AliasSaid> {
    let version = reference.version();
    let own = reference.name == runs || reference.name.strip_prefix("emberyard/") == Some(runs);
    if own && (version.is_none() || version.as_deref() == spark) {
        return None;
    }
    let what = match (spark, version) {
        (Some(spark), Some(version)) if version != spark => format!("Spark {spark} runs, {version} was asked"),
        (Some(spark), _) => format!("Spark {spark} runs"),
        (None, _) => format!("{runs} runs"),
    };
    let note = if own { what } else { format!("{asked} is {runs} here: {what}") };
    Some(AliasSaid { asked: asked.to_owned(), runs: runs.to_owned(), note })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(asked: &str) -> Option<String> {
        let reference = Reference::parse(asked).unwrap();
        let runs = stand_in(&reference.name).unwrap();
        said(asked, &reference, runs, Some("4.3.0")).map(|said| said.note)
    }

    #[test]
    fn says_what_runs_and_what_was_asked() {
        assert_eq!(
            note("kublr/spark-py:2.4.0-hadoop-2.6").unwrap(),
            "kublr/spark-py:2.4.0-hadoop-2.6 is spark-py here: Spark 4.3.0 runs, 2.4.0 was asked"
        );
        assert_eq!(note("apache/spark:latest").unwrap(), "apache/spark:latest is spark-py here: Spark 4.3.0 runs");
        assert_eq!(note("spark-py:3.5.1").unwrap(), "Spark 4.3.0 runs, 3.5.1 was asked");
        assert_eq!(note("spark-py"), None);
        assert_eq!(note("emberyard/spark-py:4.3.0"), None);
        assert_eq!(stand_in("nginx"), None);
    }
}
