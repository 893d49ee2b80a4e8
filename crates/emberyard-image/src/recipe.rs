//! Recipes: what an image is made of, as TOML.

use crate::error::ImageError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What an image is made of. One recipe makes one layer on top of the image it starts `from`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Name of the image in the store.
    pub name: String,
    /// What it is for, in a line.
    pub title: String,
    /// The image it stands on; without one it begins with Debian packages.
    pub from: Option<String>,
    /// Debian packages; what they depend on comes along.
    pub debian: Vec<String>,
    /// Debian packages to leave out though others depend on them.
    pub without: Vec<String>,
    /// Python packages as pip writes them (`polars`, `pyspark==4.3.0`), into the image's one environment.
    pub pypi: Vec<String>,
    /// Jars as `group:artifact:version[:classifier]`, each alone, into `maven_into`.
    pub maven: Vec<String>,
    /// Folder for `maven`; by default `/opt/spark/jars`.
    pub maven_into: Option<String>,
    /// Packages of npm as `name@version`, each alone, unpacked below `/opt/npm/node_modules`.
    pub npm: Vec<String>,
    /// Symbolic links: path in the image -> target.
    pub links: BTreeMap<String, String>,
    /// Files put into the image.
    pub files: Vec<RecipeFile>,
    /// Programs that complete the image, run inside it at its final paths.
    pub finish: Vec<Finish>,
    /// Environment of its containers, on top of the one below.
    pub env: BTreeMap<String, String>,
    /// Program and fixed arguments, if not those of the image below.
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments, if not those of the image below.
    pub cmd: Option<Vec<String>>,
    /// Working directory, if not that of the image below.
    pub workdir: Option<String>,
}

/// A file put into an image: its text, or where it is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeFile {
    /// Absolute path in the image.
    pub path: String,
    /// The content itself.
    #[serde(default)]
    pub text: Option<String>,
    /// A file beside the recipe that holds the content.
    #[serde(default)]
    pub source: Option<String>,
    /// May it be executed.
    #[serde(default)]
    pub executable: bool,
}

/// A program that completes an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// What it does, for the progress line.
    pub title: String,
    /// Program and arguments.
    pub run: Vec<String>,
    /// Run again for images on top whose layer changes something below this folder.
    #[serde(default)]
    pub again_when_changed: Option<String>,
}

impl Recipe {
    /// Reads a recipe's text; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ImageError> {
        let recipe: Self = toml::from_str(text)
            .map_err(|error| ImageError::Recipe { recipe: origin.to_owned(), why: error.to_string() })?;
        recipe.check(origin)?;
        Ok(recipe)
    }

    /// Reads a recipe file and the files it takes content from, which are named relative to it.
    pub fn load(path: &Path) -> Result<Self, ImageError> {
        let text = std::fs::read_to_string(path).map_err(ImageError::io("read", path))?;
        let mut recipe = Self::parse(&text, &path.display().to_string())?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for file in &mut recipe.files {
            if let Some(source) = file.source.take() {
                let source = folder.join(source);
                file.text = Some(std::fs::read_to_string(&source).map_err(ImageError::io("read", &source))?);
            }
        }
        Ok(recipe)
    }

    fn check(&self, origin: &str) -> Result<(), ImageError> {
        let wrong = |why: String| Err(ImageError::Recipe { recipe: origin.to_owned(), why });
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        if self.name.is_empty()
            || !self.name.chars().all(good)
            || !self.name.starts_with(|c: char| c.is_ascii_alphanumeric())
        {
            return wrong(format!("name \"{}\": use lower-case letters, digits and . _ - /", self.name));
        }
        if self.from.is_none() && self.debian.is_empty() {
            return wrong("it needs `from` (an image to stand on) or `debian` (packages to begin with)".to_owned());
        }
        if self.from.as_deref() == Some(self.name.as_str()) {
            return wrong(format!("it stands on itself (from = \"{}\")", self.name));
        }
        for file in &self.files {
            if file.text.is_some() == file.source.is_some() {
                return wrong(format!("file {}: give either `text` or `source`", file.path));
            }
        }
        let places = self.files.iter().map(|file| file.path.as_str()).chain(self.links.keys().map(String::as_str));
        for path in places.chain(self.maven_into.as_deref()) {
            if !path.starts_with('/') || path.split('/').any(|part| part == ".." || part == ".") {
                return wrong(format!("\"{path}\" is not an absolute path without . and .."));
            }
        }
        if let Some(finish) = self.finish.iter().find(|finish| finish.run.is_empty()) {
            return wrong(format!("finish \"{}\": `run` names no program", finish.title));
        }
        for coordinates in &self.maven {
            if !(3..=4).contains(&coordinates.split(':').count()) {
                return wrong(format!("maven \"{coordinates}\": write group:artifact:version[:classifier]"));
            }
        }
        for package in &self.npm {
            if !package.get(1..).is_some_and(|rest| rest.contains('@')) {
                return wrong(format!("npm \"{package}\": write name@version"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_users_recipe() {
        let recipe = Recipe::parse("name = 'mine'\nfrom = 'pyspark-notebook'\npypi = ['polars']\n", "t").unwrap();
        assert_eq!(recipe.from.as_deref(), Some("pyspark-notebook"));
        assert_eq!(recipe.pypi, ["polars"]);
    }

    #[test]
    fn says_where_a_recipe_is_wrong() {
        for (text, part) in [
            ("name = 'a'", "needs `from`"),
            ("name = 'A'\nfrom = 'b'", "lower-case"),
            ("name = 'a'\nfrom = 'b'\nfiels = []", "unknown field `fiels`"),
            ("name = 'a'\nfrom = 'a'", "stands on itself"),
            ("name = 'a'\nfrom = 'b'\nmaven = ['x:y']", "group:artifact:version"),
            ("name = 'a'\nfrom = 'b'\nnpm = ['@x/y']", "name@version"),
            ("name = 'a'\nfrom = 'b'\nfiles = [{path='/a/../b', text=''}]", "absolute path"),
            ("name = 'a'\nfrom = 'b'\nfiles = [{path='/a'}]", "either `text` or `source`"),
            ("name = 'a'\nfrom = 'b'\nfinish = [{title='t', run=[]}]", "names no program"),
        ] {
            let error = Recipe::parse(text, "mine.toml").unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("mine.toml"), "{error}");
        }
    }
}
