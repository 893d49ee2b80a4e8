//! The recipes that come with the program, and their locks.

use crate::debian::architecture;
use crate::error::ImageError;
use crate::recipe::Recipe;

/// The built-in recipes' texts, each after the one it stands on.
const TEXTS: [(&str, &str); 4] = [
    ("debian-base", include_str!("../recipes/debian-base.toml")),
    ("hdfs", include_str!("../recipes/hdfs.toml")),
    ("spark-py", include_str!("../recipes/spark-py.toml")),
    ("pyspark-notebook", include_str!("../recipes/pyspark-notebook.toml")),
];

/// Files that recipes put into images, by the name recipes give as `source`.
const FILES: [(&str, &str); 24] = [
    ("files/canary/Beat.java", include_str!("../recipes/files/canary/Beat.java")),
    ("files/canary/Canary.java", include_str!("../recipes/files/canary/Canary.java")),
    ("files/canary/LongestOfAnHour.java", include_str!("../recipes/files/canary/LongestOfAnHour.java")),
    ("files/class-path.sh", include_str!("../recipes/files/class-path.sh")),
    ("files/compile-hdfs.sh", include_str!("../recipes/files/compile-hdfs.sh")),
    ("files/decom.sh", include_str!("../recipes/files/decom.sh")),
    ("files/entrypoint.sh", include_str!("../recipes/files/entrypoint.sh")),
    ("files/hdfs-java.sh", include_str!("../recipes/files/hdfs-java.sh")),
    ("files/hdfs-log4j.properties", include_str!("../recipes/files/hdfs-log4j.properties")),
    ("files/hdfs.sh", include_str!("../recipes/files/hdfs.sh")),
    ("files/isolation/Isolation.java", include_str!("../recipes/files/isolation/Isolation.java")),
    ("files/isolation/Reach.java", include_str!("../recipes/files/isolation/Reach.java")),
    ("files/jupyter_server_config.py", include_str!("../recipes/files/jupyter_server_config.py")),
    ("files/locality/Executors.java", include_str!("../recipes/files/locality/Executors.java")),
    ("files/locality/NodeAwareFileSystem.java", include_str!("../recipes/files/locality/NodeAwareFileSystem.java")),
    ("files/locality/NodeAwareLocation.java", include_str!("../recipes/files/locality/NodeAwareLocation.java")),
    ("files/locality/NodePrefix.java", include_str!("../recipes/files/locality/NodePrefix.java")),
    ("files/locality/compile.sh", include_str!("../recipes/files/locality/compile.sh")),
    ("files/start.options", include_str!("../recipes/files/start.options")),
    ("files/train-hdfs.py", include_str!("../recipes/files/train-hdfs.py")),
    ("files/train.py", include_str!("../recipes/files/train.py")),
    ("files/zookeeper-server.sh", include_str!("../recipes/files/zookeeper-server.sh")),
    // The notebook's own: each kernel loads them.
    ("practice_api.py", include_str!("../../emberyard-manifest/src/assets/practice_api.py")),
    ("spark_rehearsal.py", include_str!("../../emberyard-manifest/src/assets/spark_rehearsal.py")),
];

/// The architecture of a lock that holds on all.
const ALL: &str = "all";

/// Locks: (recipe, registry, architecture, text).
const LOCKS: [(&str, &str, &str, &str); 6] = [
    ("debian-base", "debian", "amd64", include_str!("../recipes/debian-base.amd64.debian.lock")),
    ("hdfs", "maven", ALL, include_str!("../recipes/hdfs.maven.lock")),
    ("spark-py", "pypi", "amd64", include_str!("../recipes/spark-py.amd64.pypi.lock")),
    ("spark-py", "pypi", "arm64", include_str!("../recipes/spark-py.arm64.pypi.lock")),
    ("pyspark-notebook", "pypi", "amd64", include_str!("../recipes/pyspark-notebook.amd64.pypi.lock")),
    ("pyspark-notebook", "pypi", "arm64", include_str!("../recipes/pyspark-notebook.arm64.pypi.lock")),
];

/// The built-in recipes, each after the one it stands on: `debian-base`, `hdfs`,
/// `spark-py`, `pyspark-notebook`.
pub fn builtin() -> Vec<Recipe> {
    // The texts are part of the program; a test reads every one of them.
    TEXTS.iter().filter_map(|(name, text)| read(name, text).ok()).collect()
}

/// The built-in recipe of this name.
pub fn find(name: &str) -> Option<Recipe> {
    TEXTS.iter().find(|(known, _)| *known == name).and_then(|(name, text)| read(name, text).ok())
}

/// The lock of a built-in recipe for this machine's architecture; `registry` is `debian`, `pypi`
/// or `maven`.
pub fn lock(recipe: &str, registry: &str) -> Option<&'static str> {
    let this = architecture();
    let fits = |arch: &str| arch == this || arch == ALL;
    LOCKS.iter().find(|(name, kind, arch, _)| (*name, *kind) == (recipe, registry) && fits(arch)).map(|lock| lock.3)
}

fn read(name: &str, text: &str) -> Result<Recipe, ImageError> {
    let mut recipe = Recipe::parse(text, name)?;
    for file in &mut recipe.files {
        if let Some(source) = file.source.take() {
            let text = FILES.iter().find(|(known, _)| *known == source).map(|(_, text)| (*text).to_owned());
            let missing = || ImageError::Recipe { recipe: name.to_owned(), why: format!("{source} is not built in") };
            file.text = Some(text.ok_or_else(missing)?);
        }
    }
    Ok(recipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registries::maven;
    use crate::{debian, python};

    #[test]
    fn every_built_in_recipe_is_good_and_stands_on_one_before_it() {
        let recipes: Vec<Recipe> = TEXTS.iter().map(|(name, text)| read(name, text).unwrap()).collect();
        for (place, recipe) in recipes.iter().enumerate() {
            assert_eq!(recipe.name, TEXTS[place].0);
            let below = |from: &String| recipes[..place].iter().any(|other| other.name == *from);
            assert!(recipe.from.as_ref().is_none_or(below), "{}", recipe.name);
        }
        assert_eq!(builtin().len(), TEXTS.len());
    }

    #[test]
    fn every_lock_fits_its_recipe() {
        for (name, kind, arch, text) in LOCKS {
            let recipe = find(name).unwrap();
            let fits = match kind {
                "debian" => {
                    let request = debian::lock::request(&recipe.debian, &recipe.without);
                    debian::lock::read(text, &request).is_some()
                }
                "maven" => maven::lock::read(text, &maven::lock::request(&recipe.jars().unwrap())).is_some(),
                _ => python::lock::read(text, &python::lock::request(&recipe.pypi)).is_some(),
            };
            assert!(fits, "{name} {kind} {arch}: run `emberyard image lock`");
        }
    }
}
